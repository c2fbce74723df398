package main

import (
	"context"
	"encoding/csv"
	"io"
	"strconv"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/cli/internal/show"
)

const (
	scorePage    = 5000
	customerPage = 1000
)

// RfmCmd groups the looks at RFM results.
type RfmCmd struct {
	Show RfmShowCmd `cmd:"" help:"Print a run with its grid."`
	List RfmListCmd `cmd:"" help:"List the customers of a run."`

	Migration RfmMigrationCmd `cmd:"" help:"Count who went from where to where between two days."`
	Response  RfmResponseCmd  `cmd:"" help:"Tell how often customers of each segment or cell responded to contacts."`
	Explain   RfmExplainCmd   `cmd:"" help:"Explain a customer's cell, and what would move the customer up."`
}

// RfmShowCmd prints a run.
type RfmShowCmd struct {
	RunID string `name:"run" placeholder:"ID" help:"Run; default is the newest."`
}

// Run prints the run.
func (c *RfmShowCmd) Run(ctx context.Context, app *App) error {
	return ask(ctx, app, rfmService, callTimeout, analyticsv1.RfmServiceClient.GetRfmRun, &analyticsv1.GetRfmRunRequest{RunId: c.RunID},
		func(out io.Writer, r *analyticsv1.GetRfmRunResponse) error { return show.RfmRun(out, r.GetRun()) })
}

// RfmListCmd lists scores.
type RfmListCmd struct {
	RunID    string `name:"run" placeholder:"ID" help:"Run; default is the newest."`
	Order    string `enum:"customer,best" default:"customer" help:"By customer number, or the best first."`
	Limit    int    `help:"Most customers to list; 0 lists all."`
	CSV      bool   `name:"csv" help:"Print CSV."`
	WithKeys bool   `help:"Add each customer's external key, looked up in the operational service."`
}

// scoreTitles are the columns of the list.
var scoreTitles = []string{"customer_id", "recency_days", "frequency", "monetary", "currency", "cell", "segment"}

// Run prints the scores page by page.
func (c *RfmListCmd) Run(ctx context.Context, app *App) error {
	client, err := rfmService.on(app)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	return printCustomers(ctx, app, c.WithKeys, c.CSV, scoreTitles, func(write func(customer int64, cells ...string) error) error {
		return c.each(ctx, client, func(s *analyticsv1.RfmScore) error {
			return write(s.GetCustomerId(), strconv.Itoa(int(s.GetRecencyDays())), strconv.FormatInt(s.GetFrequency(), 10),
				show.Plain(s.GetMonetary()), s.GetMonetary().GetCurrencyCode(), strconv.Itoa(int(s.GetCell())), s.GetSegment())
		})
	})
}

// each goes through the run page by page. The pages after the first name the run, so that a newer one does not mix in.
func (c *RfmListCmd) each(ctx context.Context, client analyticsv1.RfmServiceClient, use func(*analyticsv1.RfmScore) error) error {
	request := &analyticsv1.ListRfmScoresRequest{RunId: c.RunID}
	if c.Order == "best" {
		request.Order = analyticsv1.RfmOrder_RFM_ORDER_BEST_FIRST
	}
	if request.GetRunId() == "" {
		newest, err := client.GetRfmRun(ctx, &analyticsv1.GetRfmRunRequest{})
		if err != nil {
			return err
		}
		request.RunId = newest.GetRun().GetRunId()
	}
	return each(c.Limit, scorePage, func(size int32, token string) ([]*analyticsv1.RfmScore, string, error) {
		request.PageSize, request.PageToken = size, token
		page, err := client.ListRfmScores(ctx, request)
		return page.GetScores(), page.GetNextPageToken(), err
	}, use)
}

// lines prints CSV, or a table for people.
func lines(app *App, asCSV bool) (write func([]string) error, flush func() error) {
	if !asCSV {
		return show.Columns(app.Out)
	}
	w := csv.NewWriter(app.Out)
	return w.Write, func() error { w.Flush(); return w.Error() }
}

// printCustomers prints a line a customer below titles, the first of which is the customer number. With keys, each begins with
// the customer's external key.
func printCustomers(
	ctx context.Context, app *App, withKeys, asCSV bool, titles []string, each func(write func(customer int64, cells ...string) error) error,
) (err error) {
	var keys map[int64]*crmv1.ExternalKey
	if withKeys {
		titles = append([]string{"source", "external_id"}, titles...)
		if keys, err = customerKeys(ctx, app); err != nil {
			return err
		}
	}
	write, flush := lines(app, asCSV)
	if err := write(titles); err != nil {
		return err
	}
	if err := each(func(customer int64, cells ...string) error {
		line := append([]string{strconv.FormatInt(customer, 10)}, cells...)
		if withKeys {
			key := keys[customer]
			line = append([]string{key.GetSource(), key.GetExternalId()}, line...)
		}
		return write(line)
	}); err != nil {
		return err
	}
	return flush()
}

// customerKeys reads the external keys of all customers.
func customerKeys(ctx context.Context, app *App) (map[int64]*crmv1.ExternalKey, error) {
	conn, err := app.CRM()
	if err != nil {
		return nil, err
	}
	client := crmv1.NewCustomerServiceClient(conn)
	keys := map[int64]*crmv1.ExternalKey{}
	err = each(0, customerPage, func(size int32, token string) ([]*crmv1.Customer, string, error) {
		page, err := client.ListCustomers(ctx, &crmv1.ListCustomersRequest{PageSize: size, PageToken: token})
		return page.GetCustomers(), page.GetNextPageToken(), err
	}, func(customer *crmv1.Customer) error {
		keys[customer.GetCustomerId()] = customer.GetKey()
		return nil
	})
	return keys, err
}
