package main

import (
	"context"
	"fmt"
	"io"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	"tandem.bank/services/cli/internal/show"
)

// FactsCmd groups the work with facts of customers.
type FactsCmd struct {
	List    FactsListCmd    `cmd:"" help:"List the facts that there are of customers, which segments and scores are made of."`
	Show    FactsShowCmd    `cmd:"" help:"Tell the facts of a customer, for today or a past day."`
	Refresh FactsRefreshCmd `cmd:"" help:"Tell today's facts anew; they follow the bank by themselves."`
}

// FactsListCmd lists the catalogue.
type FactsListCmd struct {
	Source string `placeholder:"NAME" help:"Only facts of this source, for example transaction."`
}

// Run prints the catalogue.
func (c *FactsListCmd) Run(ctx context.Context, app *App) error {
	return ask(ctx, app, factService, listTimeout, analyticsv1.FactServiceClient.ListFacts, &analyticsv1.ListFactsRequest{Source: c.Source},
		func(out io.Writer, r *analyticsv1.ListFactsResponse) error {
			return show.CustomerFacts(out, r.GetFacts())
		})
}

// FactsShowCmd tells the facts of a customer.
type FactsShowCmd struct {
	Customer int64    `arg:"" help:"Customer number."`
	Facts    []string `arg:"" optional:"" help:"Facts to tell; default is all that are known."`
	AsOf     day      `placeholder:"YYYY-MM-DD" help:"Day whose end counts; default is today."`
}

// Run prints the facts.
func (c *FactsShowCmd) Run(ctx context.Context, app *App) error {
	return ask(ctx, app, factService, listTimeout, analyticsv1.FactServiceClient.GetCustomerFacts,
		&analyticsv1.GetCustomerFactsRequest{CustomerId: c.Customer, Facts: c.Facts, AsOf: c.AsOf.Date},
		func(out io.Writer, r *analyticsv1.GetCustomerFactsResponse) error {
			return show.FactsOfCustomer(out, r, len(c.Facts) > 0)
		})
}

// FactsRefreshCmd tells facts anew.
type FactsRefreshCmd struct {
	Customers []int64 `arg:"" optional:"" help:"Customer numbers, up to 1000; default is all customers."`
	runFlags
}

// Run waits until it is done.
func (c *FactsRefreshCmd) Run(ctx context.Context, app *App) error {
	return runOf(ctx, app, c.runFlags, factService, analyticsv1.FactServiceClient.RefreshFacts,
		&analyticsv1.RefreshFactsRequest{CustomerIds: c.Customers}, printRefreshed)
}

func printRefreshed(out io.Writer, r *analyticsv1.RefreshFactsResponse) error {
	_, err := fmt.Fprintf(out, "facts of %s told anew, with all that had come by %s\n", show.Date(r.GetAsOf()), show.Time(r.GetBeganTime()))
	return err
}
