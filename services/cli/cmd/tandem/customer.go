package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/cli/internal/show"
)

// CustomerCmd groups the looks at a customer.
type CustomerCmd struct {
	Whole  Customer360Cmd    `cmd:"" name:"360" help:"Show a customer with accounts, cards, contracts, consents, relations, interactions and RFM cell."`
	List   CustomerListCmd   `cmd:"" help:"List customers by a filter, in any order."`
	Search CustomerSearchCmd `cmd:"" help:"Find customers by names, numbers, phones, e-mails and texts."`
}

// Customer360Cmd shows a customer on one screen.
type Customer360Cmd struct {
	Customer     customerName `arg:"" placeholder:"ID|SOURCE/EXTERNAL-ID" help:"Customer number, or source and external id as in berka/1."`
	Interactions int32        `default:"10" help:"Most interactions to show, up to 100."`
}

// CustomerSearchCmd finds customers by free text.
type CustomerSearchCmd struct {
	Query  []string `arg:"" help:"Words, \"phrases\", prefix*, AND, OR, NOT; quote the whole query for the shell."`
	Filter string   `help:"Only customers that a filter admits, as in state = \"active\"."`
	Limit  int32    `default:"20" help:"Most customers to show, up to 200."`
}

// Run prints the best hits. A page that took long to fill ends early; it goes on until there are enough.
func (c *CustomerSearchCmd) Run(ctx context.Context, app *App) error {
	conn, err := app.CRM()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	client, all := crmv1.NewSearchServiceClient(conn), &crmv1.SearchCustomersResponse{}
	request := &crmv1.SearchCustomersRequest{Query: strings.Join(c.Query, " "), Filter: c.Filter, PageSize: c.Limit}
	for {
		page, err := client.SearchCustomers(ctx, request)
		if err != nil {
			return err
		}
		all.Hits, all.NextPageToken = append(all.Hits, page.GetHits()...), page.GetNextPageToken()
		missing := int(c.Limit) - len(all.Hits)
		if missing <= 0 || all.NextPageToken == "" {
			break
		}
		request.PageToken, request.PageSize = all.NextPageToken, int32(missing) //nolint:gosec // below the limit
	}
	if app.JSON {
		return printJSON(app, all)
	}
	return show.Hits(app.Out, all.GetHits())
}

// customerName is a customer number or an external key.
type customerName struct {
	id  int64
	key *crmv1.ExternalKey
}

// UnmarshalText reads 42 or berka/1.
func (n *customerName) UnmarshalText(text []byte) error {
	s := string(text)
	if source, id, ok := strings.Cut(s, "/"); ok {
		n.key = &crmv1.ExternalKey{Source: source, ExternalId: id}
		return nil
	}
	id, err := strconv.ParseInt(s, 10, 64)
	if err != nil || id < 1 {
		return fmt.Errorf("%q is neither a customer number nor source/external-id", s)
	}
	n.id = id
	return nil
}

// Run prints the screen.
func (c *Customer360Cmd) Run(ctx context.Context, app *App) error {
	conn, err := app.CRM()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	response, err := crmv1.NewCustomer360ServiceClient(conn).GetCustomer360(ctx, &crmv1.GetCustomer360Request{
		CustomerId: c.Customer.id, Key: c.Customer.key, InteractionsMax: c.Interactions,
	})
	if err != nil {
		return err
	}
	if app.JSON {
		return printJSON(app, response)
	}
	return show.Customer360(app.Out, response)
}
