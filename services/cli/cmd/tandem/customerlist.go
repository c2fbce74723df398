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
	Limit   int    `default:"50" help:"Most customers to list; 0 lists all."`
}

var countModes = map[string]crmv1.CountMode{
	"exact": crmv1.CountMode_COUNT_MODE_EXACT, "estimated": crmv1.CountMode_COUNT_MODE_ESTIMATED,
}

// Run prints one line a customer.
func (c *CustomerListCmd) Run(ctx context.Context, app *App) error {
	return askPages(ctx, app, customerService, c.Limit, crmv1.CustomerServiceClient.ListCustomers,
		&crmv1.ListCustomersRequest{Filter: c.Filter, OrderBy: c.OrderBy, Count: countModes[c.Count]},
		(*crmv1.ListCustomersResponse).GetCustomers, show.Customers)
}
