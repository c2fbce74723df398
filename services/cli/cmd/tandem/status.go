package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/cli/internal/show"
)

// StatusCmd shows how the two halves are doing.
type StatusCmd struct{}

// Run prints what can be reached, and fails when a half can't.
func (c *StatusCmd) Run(ctx context.Context, app *App) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	relay, relayErr := relayStatus(ctx, app)
	ingest, ingestErr := ingestStatus(ctx, app)
	if relayErr == nil {
		if err := c.printRelay(app, relay); err != nil {
			return err
		}
	}
	if ingestErr == nil {
		if err := c.printIngest(app, ingest); err != nil {
			return err
		}
	}
	return errors.Join(named("crm", relayErr), named("analytics", ingestErr))
}

func named(service string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %s", service, sentence(err))
}

func relayStatus(ctx context.Context, app *App) (*crmv1.GetRelayStatusResponse, error) {
	conn, err := app.CRM()
	if err != nil {
		return nil, err
	}
	return crmv1.NewChangeStreamServiceClient(conn).GetRelayStatus(ctx, &crmv1.GetRelayStatusRequest{})
}

func ingestStatus(ctx context.Context, app *App) (*analyticsv1.GetIngestStatusResponse, error) {
	conn, err := app.Analytics()
	if err != nil {
		return nil, err
	}
	return analyticsv1.NewIngestServiceClient(conn).GetIngestStatus(ctx, &analyticsv1.GetIngestStatusRequest{})
}

func (c *StatusCmd) printRelay(app *App, r *crmv1.GetRelayStatusResponse) error {
	if app.JSON {
		return printJSON(app, r)
	}
	word := "not active in this process"
	if r.GetActive() {
		word = "active"
	}
	_, err := fmt.Fprintf(app.Out, "relay: %s, %s bytes behind, %s changes published since start, newest change %s\n",
		word, show.Count(r.GetLagBytes()), show.Count(r.GetPublishedEvents()), show.Since(r.GetPublishedCommitTime(), time.Now()))
	return err
}

func (c *StatusCmd) printIngest(app *App, r *analyticsv1.GetIngestStatusResponse) error {
	if app.JSON {
		return printJSON(app, r)
	}
	_, _ = fmt.Fprintf(app.Out, "ingest: message %s of the stream, %s waiting, %s dead letters, newest change %s\n",
		show.Count(r.GetStreamSequence()), show.Count(r.GetPendingMessages()), show.Count(r.GetDeadLetters()),
		show.Since(r.GetNewestChangeTime(), time.Now()))
	w := tabwriter.NewWriter(app.Out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprint(w, "rows\t  table\n")
	for _, table := range r.GetTables() {
		_, _ = fmt.Fprintf(w, "%s\t  %s\n", show.Count(table.GetRows()), table.GetTable())
	}
	return w.Flush()
}
