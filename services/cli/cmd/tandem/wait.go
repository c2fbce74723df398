package main

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// WaitCmd waits until the analytical half has caught up.
type WaitCmd struct {
	Timeout time.Duration `default:"5m" help:"How long to wait."`
}

// Run waits until every change committed so far is published, then until it is in ClickHouse, and then until the facts of the customers
// it is about and the members of segments have followed.
func (c *WaitCmd) Run(ctx context.Context, app *App) error {
	crm, err := app.CRM()
	if err != nil {
		return err
	}
	analytics, err := app.Analytics()
	if err != nil {
		return err
	}
	begun := time.Now()
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	published, err := crmv1.NewChangeStreamServiceClient(crm).AwaitPublished(ctx, &crmv1.AwaitPublishedRequest{}, grpc.WaitForReady(true))
	if err != nil {
		return fmt.Errorf("wait for the relay: %w", err)
	}
	_, err = analyticsv1.NewIngestServiceClient(analytics).AwaitIngested(ctx,
		&analyticsv1.AwaitIngestedRequest{StreamSequence: published.GetStreamSequence()}, grpc.WaitForReady(true))
	if err != nil {
		return fmt.Errorf("wait for ClickHouse to have message %d of the stream: %w", published.GetStreamSequence(), err)
	}
	_, err = analyticsv1.NewIngestServiceClient(analytics).AwaitIngested(ctx,
		&analyticsv1.AwaitIngestedRequest{StreamSequence: published.GetStreamSequence(), Followed: true}, grpc.WaitForReady(true))
	if err != nil {
		return fmt.Errorf("wait for facts and segments to follow message %d of the stream, which is in ClickHouse: %w", published.GetStreamSequence(), err)
	}
	_, _ = fmt.Fprintf(app.Out, "everything up to message %d of the stream is in ClickHouse, and facts and segments have followed, after %s\n",
		published.GetStreamSequence(), time.Since(begun).Round(time.Millisecond))
	return nil
}
