package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"strconv"
	"text/tabwriter"
	"time"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/cli/internal/show"
)

const (
	scorePage    = 5000
	customerPage = 1000
	listTimeout  = 10 * time.Minute
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
	conn, err := app.Analytics()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	response, err := analyticsv1.NewRfmServiceClient(conn).GetRfmRun(ctx, &analyticsv1.GetRfmRunRequest{RunId: c.RunID})
	if err != nil {
		return err
	}
	if app.JSON {
		return printJSON(app, response)
	}
	return show.RfmRun(app.Out, response.GetRun())
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
	conn, err := app.Analytics()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	titles := scoreTitles
	var keys map[int64]*crmv1.ExternalKey
	if c.WithKeys {
		titles = append([]string{"source", "external_id"}, titles...)
		if keys, err = customerKeys(ctx, app); err != nil {
			return err
		}
	}
	write, flush := c.writer(app)
	if err := write(titles); err != nil {
		return err
	}
	err = c.each(ctx, analyticsv1.NewRfmServiceClient(conn), func(s *analyticsv1.RfmScore) error {
		cells := []string{
			strconv.FormatInt(s.GetCustomerId(), 10), strconv.Itoa(int(s.GetRecencyDays())), strconv.FormatInt(s.GetFrequency(), 10),
			show.Plain(s.GetMonetary()), s.GetMonetary().GetCurrencyCode(), strconv.Itoa(int(s.GetCell())), s.GetSegment(),
		}
		if c.WithKeys {
			key := keys[s.GetCustomerId()]
			cells = append([]string{key.GetSource(), key.GetExternalId()}, cells...)
		}
		return write(cells)
	})
	if err != nil {
		return err
	}
	return flush()
}

// each goes through the run page by page. The pages after the first name the run, so that a newer one does not mix in.
func (c *RfmListCmd) each(ctx context.Context, client analyticsv1.RfmServiceClient, use func(*analyticsv1.RfmScore) error) error {
	request := &analyticsv1.ListRfmScoresRequest{RunId: c.RunID, PageSize: scorePage}
	if c.Order == "best" {
		request.Order = analyticsv1.RfmOrder_RFM_ORDER_BEST_FIRST
	}
	if c.Limit > 0 {
		request.PageSize = int32(min(c.Limit, scorePage))
	}
	if request.GetRunId() == "" {
		newest, err := client.GetRfmRun(ctx, &analyticsv1.GetRfmRunRequest{})
		if err != nil {
			return err
		}
		request.RunId = newest.GetRun().GetRunId()
	}
	listed := 0
	for {
		page, err := client.ListRfmScores(ctx, request)
		if err != nil {
			return err
		}
		for _, score := range page.GetScores() {
			if c.Limit > 0 && listed == c.Limit {
				return nil
			}
			listed++
			if err := use(score); err != nil {
				return err
			}
		}
		if page.GetNextPageToken() == "" {
			return nil
		}
		request.PageToken = page.GetNextPageToken()
	}
}

// writer prints CSV or a table.
func (c *RfmListCmd) writer(app *App) (write func([]string) error, flush func() error) {
	if c.CSV {
		w := csv.NewWriter(app.Out)
		return w.Write, func() error { w.Flush(); return w.Error() }
	}
	w := tabwriter.NewWriter(app.Out, 0, 0, 2, ' ', tabwriter.AlignRight)
	return func(cells []string) error {
		printCells(w, anySlice(cells))
		_, err := fmt.Fprintln(w)
		return err
	}, w.Flush
}

// customerKeys reads the external keys of all customers.
func customerKeys(ctx context.Context, app *App) (map[int64]*crmv1.ExternalKey, error) {
	conn, err := app.CRM()
	if err != nil {
		return nil, err
	}
	client := crmv1.NewCustomerServiceClient(conn)
	keys := map[int64]*crmv1.ExternalKey{}
	request := &crmv1.ListCustomersRequest{PageSize: customerPage}
	for {
		page, err := client.ListCustomers(ctx, request)
		if err != nil {
			return nil, err
		}
		for _, customer := range page.GetCustomers() {
			keys[customer.GetCustomerId()] = customer.GetKey()
		}
		if page.GetNextPageToken() == "" {
			return keys, nil
		}
		request.PageToken = page.GetNextPageToken()
	}
}
