package main

import (
	"context"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/cli/internal/show"
)

// CustomerListCmd lists customers.
type CustomerListCmd struct {
	Filter  string `help:"Only customers that a filter admits, as in 'state = active AND relations.type = \"spouse\"'."`
	OrderBy string `name:"order-by" placeholder:"FIELD [desc],…" help:"Order, as in 'individual.family_name, create_time desc'; default is by number."`
	Count   string `default:"none" enum:"none,exact,estimated" help:"Count them too: none, exact or estimated."`
	Limit   int    `default:"50" help:"Most customers to list."`
}

var countModes = map[string]crmv1.CountMode{
	"exact": crmv1.CountMode_COUNT_MODE_EXACT, "estimated": crmv1.CountMode_COUNT_MODE_ESTIMATED,
}

// listedPage is how many customers travel together.
const listedPage = 500

// Run prints one line a customer.
func (c *CustomerListCmd) Run(ctx context.Context, app *App) error {
	conn, err := app.CRM()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	request := &crmv1.ListCustomersRequest{Filter: c.Filter, OrderBy: c.OrderBy, Count: countModes[c.Count]}
	all := &crmv1.ListCustomersResponse{}
	for len(all.GetCustomers()) < c.Limit {
		request.PageSize = int32(min(c.Limit-len(all.GetCustomers()), listedPage)) //nolint:gosec // at most customerPage
		page, err := crmv1.NewCustomerServiceClient(conn).ListCustomers(ctx, request)
		if err != nil {
			return err
		}
		all.Customers = append(all.Customers, page.GetCustomers()...)
		if page.GetCount() != nil {
			all.Count, request.Count = page.GetCount(), crmv1.CountMode_COUNT_MODE_UNSPECIFIED // once is enough
		}
		if all.NextPageToken = page.GetNextPageToken(); all.GetNextPageToken() == "" {
			break
		}
		request.PageToken = all.GetNextPageToken()
	}
	if app.JSON {
		return printJSON(app, all)
	}
	return show.Customers(app.Out, all)
}
