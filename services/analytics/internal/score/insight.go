package score

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/insight"
	"tandem.bank/services/analytics/internal/warehouse"
)

// Kind names the insights of this room: their subject is insight.v1.score.
func (*Service) Kind() string { return "score" }

// Unpublished returns the runs whose results did not all go home, oldest first.
func (s *Service) Unpublished(ctx context.Context) ([]string, error) {
	found, err := s.store.runs(ctx, unpublishedQuery())
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(found))
	for i, run := range found {
		ids[i] = run.ID.String()
	}
	return ids, nil
}

// gone selects the customers of an earlier run who are not in this one.
const gone = `
FROM score WHERE score = {score:String} AND as_of = {before_as_of:Date} AND run_id = {before_run_id:UUID}
    AND customer_id NOT IN (SELECT customer_id FROM score WHERE ` + thisRun + `)`

// outgoing is what goes home of a run: all its scores and, with the value NaN, the customers who were in the run before and are not
// in this one.
func (s *Service) outgoing(ctx context.Context, r Run) (customers uint64, q warehouse.Query, err error) {
	q = warehouse.Query{SQL: "SELECT customer_id, value, band FROM score WHERE " + thisRun, Args: ofRun(r)}
	before, err := s.store.runs(ctx, previousQuery(r))
	if err != nil || len(before) == 0 {
		q.SQL += " ORDER BY customer_id"
		return r.Customers, q, err
	}
	q.Args = append(q.Args, warehouse.Named("before_as_of", day(before[0].AsOf)), warehouse.Named("before_run_id", before[0].ID.String()))
	left := uint64(0)
	err = s.store.each(ctx, "count who left", warehouse.Query{SQL: "SELECT count() " + gone, Args: q.Args},
		func(rows driver.Rows) error { return rows.Scan(&left) })
	q.SQL = "SELECT * FROM (" + q.SQL + " UNION ALL SELECT customer_id, nan, '' " + gone + ") ORDER BY customer_id"
	return r.Customers + left, q, err
}

// Bundles calls send for each bundle of a run, in order of customer number; the rows stream from ClickHouse.
func (s *Service) Bundles(ctx context.Context, runID string, send func(*eventsv1.InsightBundle) error) error {
	run, err := s.parsed(ctx, runID)
	if err != nil {
		return err
	}
	customers, q, err := s.outgoing(ctx, run)
	if err != nil {
		return err
	}
	rows := func(yield func(Value) error) error {
		return s.store.each(ctx, "read scores", q, func(rows driver.Rows) error {
			var v Value
			if err := rows.Scan(&v.CustomerID, &v.Value, &v.Grade); err != nil {
				return err
			}
			return yield(v)
		})
	}
	about := insight.Run{ID: runID, AsOf: run.AsOf, ComputedTime: run.ComputedTime, Customers: customers}
	return insight.Bundles(about, func() insight.Results[Value] { return newResults(run) }, rows, send)
}

// MarkPublished notes that all results of a run went home.
func (s *Service) MarkPublished(ctx context.Context, runID string) error {
	run, err := s.parsed(ctx, runID)
	if err != nil {
		return err
	}
	return s.store.published(ctx, run)
}

func (s *Service) parsed(ctx context.Context, runID string) (Run, error) {
	id, err := uuid.Parse(runID)
	if err != nil {
		return Run{}, fmt.Errorf("id of a run of a score: %w", err)
	}
	return s.store.first(ctx, runQuery(id))
}

// results collect the scores of one bundle.
type results struct{ message *eventsv1.ScoreResults }

func newResults(r Run) *results {
	return &results{&eventsv1.ScoreResults{
		Score: r.Score, DefinitionVersion: int64(r.DefinitionVersion), ModelVersion: int64(r.ModelVersion), //nolint:gosec // few
		CustomerIds: make([]int64, 0, insight.BundleCustomers),
	}}
}

// Into makes the scores what a bundle carries.
func (r *results) Into(b *eventsv1.InsightBundle) {
	b.Results = &eventsv1.InsightBundle_Scores{Scores: r.message}
}

// Add appends a score.
func (r *results) Add(v Value) {
	m := r.message
	m.CustomerIds = append(m.CustomerIds, int64(v.CustomerID)) //nolint:gosec // it comes from an int64
	m.Values, m.Grades = append(m.Values, v.Value), append(m.Grades, v.Grade)
}
