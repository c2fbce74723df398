package division

import (
	"context"
	_ "embed" // the SQL file
	"fmt"
	"slices"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/insight"
	"tandem.bank/services/analytics/internal/snapshot"
	"tandem.bank/services/analytics/internal/warehouse"
)

//go:embed sql/changes.sql
var changesSQL string

// unpublishedMax bounds how many runs are looked for at a time.
const unpublishedMax = 1000

// Kind names the insights: their subject is insight.v1.<kind>.
func (s *Store) Kind() string { return s.kind }

// Unpublished returns the runs whose results did not all go home, oldest first.
func (s *Store) Unpublished(ctx context.Context) ([]string, error) {
	found, err := s.Runs(ctx, "insights_published = 0", snapshot.LastFirst, unpublishedMax)
	if err != nil {
		return nil, err
	}
	ids := make([]string, 0, len(found))
	for _, run := range slices.Backward(found) {
		ids = append(ids, run.ID.String())
	}
	return ids, nil
}

// Bundles calls send for each bundle of a run: segment by segment, in order of customer number. It holds one bundle at a time:
// the rows stream from ClickHouse.
func (s *Store) Bundles(ctx context.Context, runID string, send func(*eventsv1.InsightBundle) error) error {
	run, err := s.parsed(ctx, runID)
	if err != nil {
		return err
	}
	keys, err := s.allKeys(ctx, run)
	if err != nil {
		return err
	}
	to := &sender{run: run, send: send}
	for _, key := range keys {
		bundles, err := s.count(ctx, run, key)
		if err != nil {
			return err
		}
		to.count += bundles
	}
	for _, key := range keys {
		if err := s.bundles(ctx, run, key, to); err != nil {
			return err
		}
	}
	if to.index != to.count {
		return fmt.Errorf("%s run %s has %d bundles of members instead of %d", s.kind, runID, to.index, to.count)
	}
	return nil
}

// count is how many bundles a part makes.
func (s *Store) count(ctx context.Context, run Run, key string) (bundles int32, err error) {
	q := run.changes(key)
	q.SQL = "SELECT count() FROM (" + strings.TrimSpace(q.SQL) + ")"
	err = s.Each(ctx, "count changes", q, func(rows driver.Rows) error {
		var customers uint64
		err := rows.Scan(&customers)
		bundles = int32((customers + insight.BundleCustomers - 1) / insight.BundleCustomers)
		return err
	})
	return bundles, err
}

func (s *Store) bundles(ctx context.Context, run Run, key string, to *sender) error {
	err := s.Each(ctx, "read changes", run.changes(key), func(rows driver.Rows) error {
		var customer uint64
		var member uint8
		if err := rows.Scan(&customer, &member); err != nil {
			return err
		}
		return to.add(key, customer, member == 1)
	})
	if err != nil {
		return err
	}
	return to.flush()
}

// changes are the customers of a part who go home.
func (r Run) changes(key string) warehouse.Query {
	before := Run{Head: snapshot.Head{ID: r.ReplacedID}}
	return warehouse.Query{SQL: changesSQL, Args: []any{
		warehouse.Named("segment", r.Segment(key)), warehouse.Named("as_of", warehouse.Day(r.AsOf)),
		warehouse.Named("run_id", r.SegmentRun(key).String()), warehouse.Named("replaced_as_of", warehouse.Day(warehouse.OrEpoch(r.ReplacedAsOf))),
		warehouse.Named("replaced_run_id", before.SegmentRun(key).String()),
	}}
}

// sender makes bundles.
type sender struct {
	run          Run
	index, count int32
	results      *eventsv1.SegmentResults
	send         func(*eventsv1.InsightBundle) error
}

func (s *sender) add(key string, customer uint64, member bool) error {
	if s.results == nil {
		s.results = &eventsv1.SegmentResults{
			Segment: s.run.Segment(key), DefinitionVersion: int64(s.run.Version), //nolint:gosec // versions are few
			CustomerIds: make([]int64, 0, insight.BundleCustomers), Members: make([]bool, 0, insight.BundleCustomers),
		}
	}
	s.results.CustomerIds = append(s.results.CustomerIds, int64(customer)) //nolint:gosec // came from an int64
	s.results.Members = append(s.results.Members, member)
	if len(s.results.GetCustomerIds()) == insight.BundleCustomers {
		return s.flush()
	}
	return nil
}

func (s *sender) flush() error {
	if s.results == nil {
		return nil
	}
	bundle := &eventsv1.InsightBundle{
		RunId: s.run.ID.String(), AsOf: warehouse.Day(s.run.AsOf), ComputedTime: timestamppb.New(s.run.ComputedTime),
		BundleIndex: s.index, BundleCount: s.count, Results: &eventsv1.InsightBundle_Segments{Segments: s.results},
	}
	s.index, s.results = s.index+1, nil
	return s.send(bundle)
}

// MarkPublished notes that all results of a run went home.
func (s *Store) MarkPublished(ctx context.Context, runID string) error {
	run, err := s.parsed(ctx, runID)
	if err != nil {
		return err
	}
	run.InsightsPublished = true
	return s.Save(ctx, run)
}

func (s *Store) parsed(ctx context.Context, runID string) (Run, error) {
	id, err := uuid.Parse(runID)
	if err != nil {
		return Run{}, fmt.Errorf("id of a %s run: %w", s.kind, err)
	}
	return s.Run(ctx, id)
}
