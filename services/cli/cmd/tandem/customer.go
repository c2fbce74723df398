package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/cli/internal/show"
)

// CustomerCmd groups the looks at a customer.
type CustomerCmd struct {
	Whole    Customer360Cmd      `cmd:"" name:"360" help:"Show a customer with accounts, cards, contracts, consents, relations, interactions and insights."`
	Timeline CustomerTimelineCmd `cmd:"" help:"Show what happened with a customer, newest first: contacts, movements, documents, consents, changes of state."`
	History  CustomerHistoryCmd  `cmd:"" help:"Show who changed what of a customer and of what belongs to the customer, newest first."`
	Insights CustomerInsightsCmd `cmd:"" help:"Show how segments and scores of a customer came and went, newest first."`
	Search   CustomerSearchCmd   `cmd:"" help:"Find customers by names, numbers, phones, e-mails, attributes, and texts of contacts and documents."`
	List     CustomerListCmd     `cmd:"" help:"List customers by a filter, in any order."`
}

// Customer360Cmd shows a customer on one screen.
type Customer360Cmd struct {
	Customer     customerName `arg:"" placeholder:"ID|SOURCE/EXTERNAL-ID" help:"Customer number, or source and external id as in berka/1."`
	Interactions int32        `default:"10" help:"Most interactions to show, up to 100."`
	AsOf         time.Time    `placeholder:"TIME" format:"2006-01-02T15:04:05.999999999Z07:00" help:"Show what the screen showed at that moment, as 2026-01-31T12:00:00Z."`
	Part         []string     `placeholder:"FIELD" help:"Only these fields of the answer, as in customer.phone or accounts, as JSON; may be repeated."`
}

// CustomerSearchCmd finds customers by free text.
type CustomerSearchCmd struct {
	Query  []string `arg:"" help:"Words, \"phrases\", prefix*, AND, OR, NOT; quote the whole query for the shell."`
	Filter string   `help:"Only customers that a filter admits, as in state = \"active\"."`
	Limit  int      `default:"20" help:"Most customers to show, up to 200."`
}

// Run prints the best hits. A page that took long to fill ends early; it goes on until there are enough.
func (c *CustomerSearchCmd) Run(ctx context.Context, app *App) error {
	return askPages(ctx, app, searchService, c.Limit, crmv1.SearchServiceClient.SearchCustomers,
		&crmv1.SearchCustomersRequest{Query: strings.Join(c.Query, " "), Filter: c.Filter},
		(*crmv1.SearchCustomersResponse).GetHits,
		func(out io.Writer, r *crmv1.SearchCustomersResponse) error { return show.Hits(out, r.GetHits()) })
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
	request := &crmv1.GetCustomer360Request{CustomerId: c.Customer.id, Key: c.Customer.key, InteractionsMax: c.Interactions}
	if !c.AsOf.IsZero() {
		request.AsOf = timestamppb.New(c.AsOf)
	}
	if len(c.Part) > 0 {
		request.ReadMask = &fieldmaskpb.FieldMask{Paths: c.Part}
	}
	response, err := crmv1.NewCustomer360ServiceClient(conn).GetCustomer360(ctx, request)
	if err != nil {
		return err
	}
	if app.JSON || len(c.Part) > 0 {
		return printJSON(app, response)
	}
	if response.GetAsOf() != nil {
		_, _ = fmt.Fprintf(app.Out, "As of %s; the history begins %s and does not have %s\n", show.Time(response.GetAsOf()),
			show.Time(response.GetHistoryStartTime()), strings.Join(response.GetNotInHistory(), ", "))
	}
	return show.Customer360(app.Out, response)
}

// CustomerHistoryCmd shows the changes of a customer.
type CustomerHistoryCmd struct {
	Customer customerName  `arg:"" placeholder:"ID|SOURCE/EXTERNAL-ID" help:"Customer number, or source and external id as in berka/1."`
	Entity   string        `placeholder:"card" help:"Only one kind of record."`
	Since    time.Duration `placeholder:"24h" help:"Only this long back."`
	Limit    int           `default:"50" help:"Most changes to show; 0 lists all."`
}

// Run prints one line a change: who, when, before and after.
func (c *CustomerHistoryCmd) Run(ctx context.Context, app *App) error {
	id := c.Customer.id
	if id == 0 {
		conn, err := app.CRM()
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		found, err := crmv1.NewCustomerServiceClient(conn).GetCustomer(ctx, &crmv1.GetCustomerRequest{Key: c.Customer.key})
		if err != nil {
			return err
		}
		id = found.GetCustomer().GetCustomerId()
	}
	changes := AuditListCmd{
		Customer: id, Entity: c.Entity, Since: c.Since, Limit: c.Limit,
		Filter: `action = "create" OR action = "update" OR action = "delete"`,
	}
	return changes.Run(ctx, app)
}
