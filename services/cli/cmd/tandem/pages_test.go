package main

import (
	"strconv"
	"testing"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// TestPages reads a list of 1203 records, which counts them when asked and gives up a page early, as a search may.
func TestPages(t *testing.T) {
	t.Parallel()
	const stored = 1203
	for _, c := range []struct{ limit, want int }{{0, stored}, {1, 1}, {500, 500}, {700, 700}, {5000, stored}} {
		request := &crmv1.ListCustomersRequest{Count: crmv1.CountMode_COUNT_MODE_EXACT}
		given, counted := 0, 0
		read := func() (*crmv1.ListCustomersResponse, error) {
			if from := request.GetPageToken(); given > 0 && from != strconv.Itoa(given) {
				t.Errorf("limit %d: after %d records the page of %q is asked for", c.limit, given, from)
			}
			page := &crmv1.ListCustomersResponse{}
			if request.GetCount() == crmv1.CountMode_COUNT_MODE_EXACT {
				page.Count = &crmv1.Count{Value: stored}
				counted++
			}
			for range min(int(request.GetPageSize()), 450, stored-given) {
				given++
				page.Customers = append(page.Customers, &crmv1.Customer{CustomerId: int64(given)})
			}
			if given < stored {
				page.NextPageToken = strconv.Itoa(given)
			}
			return page, nil
		}
		all, err := pages(request, c.limit, (*crmv1.ListCustomersResponse).GetCustomers, read)
		if err != nil {
			t.Fatal(err)
		}
		customers := all.GetCustomers()
		if len(customers) != c.want || customers[c.want-1].GetCustomerId() != int64(c.want) {
			t.Errorf("limit %d: %d records, not %d", c.limit, len(customers), c.want)
		}
		if ended := all.GetNextPageToken() == ""; ended != (c.want == stored) {
			t.Errorf("limit %d: next page is %q", c.limit, all.GetNextPageToken())
		}
		if all.GetCount().GetValue() != stored || counted != 1 {
			t.Errorf("limit %d: counted %d times, count %v", c.limit, counted, all.GetCount())
		}
	}
}
