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
	Whole Customer360Cmd `cmd:"" name:"360" help:"Show a customer with accounts, cards, contracts, consents, relations, interactions and RFM cell."`
}

// Customer360Cmd shows a customer on one screen.
type Customer360Cmd struct {
	Customer     customerName `arg:"" placeholder:"ID|SOURCE/EXTERNAL-ID" help:"Customer number, or source and external id as in berka/1."`
	Interactions int32        `default:"10" help:"Most interactions to show, up to 100."`
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
