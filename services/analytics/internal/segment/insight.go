package segment

import (
	"context"
	"errors"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/insight"
	"tandem.bank/services/analytics/internal/warehouse"
)

var errNoEvaluation = errors.New("no such evaluation of segments")

// Kind names the insights of this room: their subject is insight.v1.segment.
func (*Service) Kind() string { return "segment" }

// Unpublished returns the evaluations whose joins and leaves did not all go home, oldest first.
func (s *Service) Unpublished(ctx context.Context) ([]string, error) {
	found, err := s.store.evaluations(ctx, "complete = 1 AND insights_published = 0")
	ids := make([]string, len(found))
	for i, e := range found {
		ids[i] = e.run.String()
	}
	return ids, err
}

// Bundles calls send for each bundle of an evaluation: each is about one segment, in order of segment and customer.
func (s *Service) Bundles(ctx context.Context, runID string, send func(*eventsv1.InsightBundle) error) error {
	e, err := s.store.evaluation(ctx, runID)
	if err != nil {
		return err
	}
	sizes, err := s.store.eventCounts(ctx, e)
	if err != nil {
		return err
	}
	count := 0
	for _, size := range sizes {
		count += (int(size) + insight.BundleCustomers - 1) / insight.BundleCustomers //nolint:gosec // a count
	}
	b := &bundling{evaluation: e, count: int32(count), send: send}
	q := warehouse.Query{SQL: evaluationEventsSQL, Args: e.args()}
	err = warehouse.Each(ctx, s.store.conn, "segment: read events of an evaluation", q, func(rows driver.Rows) error {
		var event Event
		var joined uint8
		if err := rows.Scan(&event.Segment, &event.CustomerID, &joined, &event.Version); err != nil {
			return err
		}
		event.Joined = joined == 1
		return b.add(event)
	})
	if err != nil {
		return err
	}
	return b.flush()
}

// bundling puts events into bundles.
type bundling struct {
	evaluation   evaluation
	count, index int32
	results      *eventsv1.SegmentResults
	send         func(*eventsv1.InsightBundle) error
}

func (b *bundling) add(e Event) error {
	if b.results != nil && (b.results.GetSegment() != e.Segment || len(b.results.GetCustomerIds()) == insight.BundleCustomers) {
		if err := b.flush(); err != nil {
			return err
		}
	}
	if b.results == nil {
		b.results = &eventsv1.SegmentResults{Segment: e.Segment, DefinitionVersion: int64(e.Version)}
	}
	b.results.CustomerIds = append(b.results.CustomerIds, int64(e.CustomerID)) //nolint:gosec // ids come from int64s
	b.results.Members = append(b.results.Members, e.Joined)
	return nil
}

func (b *bundling) flush() error {
	if b.results == nil {
		return nil
	}
	bundle := &eventsv1.InsightBundle{
		RunId: b.evaluation.run.String(), AsOf: warehouse.Day(b.evaluation.asOf), ComputedTime: timestamppb.New(b.evaluation.eventTime),
		BundleIndex: b.index, BundleCount: b.count, Results: &eventsv1.InsightBundle_Segments{Segments: b.results},
	}
	b.index, b.results = b.index+1, nil
	return b.send(bundle)
}

// MarkPublished notes that all joins and leaves of an evaluation went home.
func (s *Service) MarkPublished(ctx context.Context, runID string) error {
	e, err := s.store.evaluation(ctx, runID)
	if err != nil {
		return err
	}
	e.published = true
	return evaluationTable.Insert(ctx, s.store.conn, []evaluation{e})
}

func (s store) evaluation(ctx context.Context, runID string) (evaluation, error) {
	id, err := uuid.Parse(runID)
	if err != nil {
		return evaluation{}, fmt.Errorf("id of an evaluation: %w", err)
	}
	found, err := s.evaluations(ctx, "run_id = {run_id:UUID}", warehouse.Named("run_id", id.String()))
	if err != nil {
		return evaluation{}, err
	}
	if len(found) == 0 {
		return evaluation{}, errNoEvaluation
	}
	return found[0], nil
}

func (e evaluation) args() []any {
	return []any{warehouse.Named("time", instant(e.eventTime)), warehouse.Named("run_id", e.run.String())}
}

// eventCounts counts the events of each segment in an evaluation.
func (s store) eventCounts(ctx context.Context, e evaluation) ([]uint64, error) {
	q := warehouse.Query{
		SQL: "SELECT uniqExact(customer_id) FROM segment_event WHERE event_time = {time:DateTime64(6, 'UTC')} AND run_id = {run_id:UUID} " +
			"GROUP BY segment ORDER BY segment",
		Args: e.args(),
	}
	var out []uint64
	err := warehouse.Each(ctx, s.conn, "segment: count events of an evaluation", q, func(rows driver.Rows) error {
		var count uint64
		err := rows.Scan(&count)
		out = append(out, count)
		return err
	})
	return out, err
}
