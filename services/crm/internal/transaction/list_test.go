package transaction_test

import (
	"fmt"
	"testing"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// Any order gives each transaction of a customer's accounts once, and the count is that of all pages.
func TestListOrders(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var messages []*crmv1.Transaction
	for i := range int64(40) {
		messages = append(messages, movement(fmt.Sprint(i), onDay(int32(i%5)+1), func(t *crmv1.Transaction) {
			t.AccountId, t.Amount.Units = i%2+1, i%7
			t.BaseAmount = nil
			if i%3 == 0 {
				t.Purpose = fmt.Sprint("purpose ", i%4)
			}
		}))
	}
	b.record(t, messages...)
	for _, order := range []string{"amount", "amount desc", "purpose desc, amount", "business_date, transaction_id desc", "purpose"} {
		seen, last, token := map[int64]bool{}, int64(-1), ""
		for {
			page, err := b.ledger.List(t.Context(), &crmv1.ListTransactionsRequest{
				CustomerId: 1, PageSize: 7, PageToken: token, OrderBy: order, Count: crmv1.CountMode_COUNT_MODE_EXACT,
			})
			if err != nil {
				t.Fatal(order, err)
			}
			if page.Count.GetValue() != 40 || page.Count.GetEstimated() {
				t.Fatalf("%s: the count is %v", order, page.Count)
			}
			for _, item := range page.Items {
				if order == "amount" && item.GetAmount().GetUnits() < last {
					t.Fatalf("%s: %d after %d", order, item.GetAmount().GetUnits(), last)
				}
				seen[item.GetTransactionId()], last = true, item.GetAmount().GetUnits()
			}
			if token = page.Next; token == "" {
				break
			}
		}
		if len(seen) != 40 {
			t.Errorf("%s gives %d of 40 transactions", order, len(seen))
		}
	}
	page, err := b.ledger.List(t.Context(), &crmv1.ListTransactionsRequest{AccountId: 1, Count: crmv1.CountMode_COUNT_MODE_ESTIMATED})
	if err != nil || !page.Count.GetEstimated() {
		t.Errorf("the estimate is %v, %v", page, err)
	}
}
