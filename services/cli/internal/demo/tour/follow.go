package tour

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/cli/internal/show"
)

// follow waits until the stream, then ClickHouse, have every change.
func (t *tour) follow(ctx context.Context) error {
	var sequence uint64
	relay := crmv1.NewChangeStreamServiceClient(t.config.CRM)
	err := t.patiently(ctx, func(ctx context.Context) error {
		answer, err := relay.AwaitPublished(ctx, &crmv1.AwaitPublishedRequest{})
		sequence = answer.GetStreamSequence()
		return err
	}, func(ctx context.Context) string {
		answer, err := relay.GetRelayStatus(ctx, &crmv1.GetRelayStatusRequest{})
		if err != nil {
			return err.Error()
		}
		return fmt.Sprintf("%s bytes of the write-ahead log wait for the relay", show.Count(answer.GetLagBytes()))
	})
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	t.report.Fresh.Published = time.Since(t.loaded)
	if err := t.awaitIngested(ctx, sequence); err != nil {
		return fmt.Errorf("ingest: %w", err)
	}
	t.report.Fresh.Ingested = time.Since(t.loaded)
	t.report.Fresh.Sequence = sequence
	return t.countStored(ctx)
}

func (t *tour) awaitIngested(ctx context.Context, sequence uint64) error {
	ingest := analyticsv1.NewIngestServiceClient(t.config.Analytics)
	return t.patiently(ctx, func(ctx context.Context) error {
		_, err := ingest.AwaitIngested(ctx, &analyticsv1.AwaitIngestedRequest{StreamSequence: sequence})
		return err
	}, func(ctx context.Context) string {
		answer, err := ingest.GetIngestStatus(ctx, &analyticsv1.GetIngestStatusRequest{})
		if err != nil {
			return err.Error()
		}
		return fmt.Sprintf("%s messages wait for ClickHouse", show.Count(answer.GetPendingMessages()))
	})
}

// countStored asks for the volumes of ClickHouse.
func (t *tour) countStored(ctx context.Context) error {
	answer, err := analyticsv1.NewIngestServiceClient(t.config.Analytics).GetIngestStatus(ctx, &analyticsv1.GetIngestStatusRequest{})
	if err != nil {
		return fmt.Errorf("volumes: %w", err)
	}
	rows := map[string]uint64{}
	for _, volume := range answer.GetTables() {
		rows[volume.GetTable()] = volume.GetRows()
	}
	addStored(t.report.Volumes, rows)
	t.report.Fresh.DeadLetters = answer.GetDeadLetters()
	return nil
}

// patiently repeats a call that waits on the other side, in turns short enough to say in between how far things are.
// It gives up after the tour's patience, with the last error.
func (t *tour) patiently(ctx context.Context, call func(context.Context) error, meanwhile func(context.Context) string) error {
	const turn = 2 * time.Second
	deadline := time.Now().Add(t.config.Patience)
	for {
		turnCtx, cancel := context.WithTimeout(ctx, turn)
		err := call(turnCtx)
		cancel()
		switch code := status.Code(err); {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case code != codes.DeadlineExceeded && code != codes.Unavailable:
			return err
		case time.Now().After(deadline):
			return fmt.Errorf("not done after %s: %w", t.config.Patience, err)
		}
		turnCtx, cancel = context.WithTimeout(ctx, turn)
		t.console.state("%s", meanwhile(turnCtx))
		cancel()
		if err := pause(ctx); err != nil {
			return err
		}
	}
}

// pauseTime is between two looks at something that can only be looked at again.
const pauseTime = 100 * time.Millisecond

func pause(ctx context.Context) error {
	select {
	case <-time.After(pauseTime):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
