package score

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"tandem.bank/services/analytics/internal/warehouse"
)

// batchRows is how many customers one insert holds.
const batchRows = 20_000

// valueRow is a score of a run.
type valueRow struct {
	run *Run
	Value
}

var (
	valueTable = warehouse.NewTable("score",
		warehouse.Col("score", func(r *valueRow) string { return r.run.Score }),
		warehouse.Col("as_of", func(r *valueRow) time.Time { return r.run.AsOf }),
		warehouse.Col("run_id", func(r *valueRow) uuid.UUID { return r.run.ID }),
		warehouse.Col("customer_id", func(r *valueRow) uint64 { return r.CustomerID }),
		warehouse.Col("value", func(r *valueRow) float64 { return r.Value.Value }),
		warehouse.Col("band", func(r *valueRow) string { return r.Grade }),
	)
	partTable = warehouse.NewTable("score_part",
		warehouse.Col("score", func(r *valueRow) string { return r.run.Score }),
		warehouse.Col("as_of", func(r *valueRow) time.Time { return r.run.AsOf }),
		warehouse.Col("run_id", func(r *valueRow) uuid.UUID { return r.run.ID }),
		warehouse.Col("customer_id", func(r *valueRow) uint64 { return r.CustomerID }),
		warehouse.Col("parts", func(r *valueRow) []float64 { return r.Parts }),
		warehouse.Col("dimensions", func(r *valueRow) []float64 { return r.Dimensions }),
		warehouse.Col("observed", func(r *valueRow) []string { return r.Observed }),
		warehouse.Col("challenger", func(r *valueRow) float64 { return r.Challenger }),
	)
	runTable = warehouse.NewTable("score_run",
		warehouse.Col("run_id", func(r *runRow) uuid.UUID { return r.ID }),
		warehouse.Col("score", func(r *runRow) string { return r.Score }),
		warehouse.Col("definition_version", func(r *runRow) uint32 { return uint32(r.DefinitionVersion) }),
		warehouse.Col("as_of", func(r *runRow) time.Time { return r.AsOf }),
		warehouse.Col("customers", func(r *runRow) uint64 { return r.Customers }),
		warehouse.Col("computed_time", func(r *runRow) time.Time { return r.ComputedTime }),
		warehouse.Col("newest_event_time", func(r *runRow) time.Time { return warehouse.OrEpoch(r.NewestEventTime) }),
	)
	detailTable = warehouse.NewTable("score_run_detail",
		warehouse.Col("run_id", func(r *runRow) uuid.UUID { return r.ID }),
		warehouse.Col("score", func(r *runRow) string { return r.Score }),
		warehouse.Col("definition_version", func(r *runRow) uint32 { return uint32(r.DefinitionVersion) }),
		warehouse.Col("kind", func(r *runRow) string { return r.Kind }),
		warehouse.Col("as_of", func(r *runRow) time.Time { return r.AsOf }),
		warehouse.Col("customers", func(r *runRow) uint64 { return r.Customers }),
		warehouse.Col("mean", func(r *runRow) float64 { return r.Mean }),
		warehouse.Col("grade_names", func(r *runRow) []string { return grades(r, func(g GradeSum) string { return g.Name }) }),
		warehouse.Col("grade_customers", func(r *runRow) []uint64 { return grades(r, func(g GradeSum) uint64 { return g.Customers }) }),
		warehouse.Col("grade_means", func(r *runRow) []float64 { return grades(r, func(g GradeSum) float64 { return g.Mean }) }),
		warehouse.Col("plan", func(r *runRow) string { return r.plan }),
		warehouse.Col("model_version", func(r *runRow) uint32 { return r.ModelVersion }),
		warehouse.Col("challenger_version", func(r *runRow) uint32 { return r.ChallengerVersion }),
		warehouse.Col("base", func(r *runRow) float64 { return r.Base }),
		warehouse.Col("stability", func(r *runRow) float64 { return r.Stability }),
		warehouse.Col("feature_stability", func(r *runRow) []float64 { return r.FeatureStability }),
		warehouse.Col("challenge", func(r *runRow) []float64 { return r.compared() }),
		warehouse.Col("computed_time", func(r *runRow) time.Time { return r.ComputedTime }),
		warehouse.Col("newest_event_time", func(r *runRow) time.Time { return warehouse.OrEpoch(r.NewestEventTime) }),
		warehouse.Col("insights_published", func(r *runRow) uint8 { return warehouse.Flag(r.InsightsPublished) }),
	)
)

// runRow is a run as it is kept.
type runRow struct {
	Run
	plan string
}

func grades[T any](r *runRow, of func(GradeSum) T) []T {
	out := make([]T, len(r.Grades))
	for i, g := range r.Grades {
		out[i] = of(g)
	}
	return out
}

func (r *runRow) compared() []float64 {
	if c := r.Challenge; c != nil {
		return []float64{c.Mean, c.Correlation, c.Distance}
	}
	return nil
}

// writer stores scores batch by batch.
type writer struct {
	store store
	run   *Run
	rows  []valueRow
}

func (s store) writer(r Run) *writer {
	return &writer{store: s, run: &r, rows: make([]valueRow, 0, batchRows)}
}

func (w *writer) add(ctx context.Context, v Value) error {
	if w.rows = append(w.rows, valueRow{w.run, v}); len(w.rows) < batchRows {
		return nil
	}
	return w.flush(ctx)
}

func (w *writer) flush(ctx context.Context) error {
	if err := valueTable.Insert(ctx, w.store.conn, w.rows); err != nil {
		return err
	}
	err := partTable.Insert(ctx, w.store.conn, w.rows)
	w.rows = w.rows[:0]
	return err
}

// save writes the rows that make a run visible.
func (s store) save(ctx context.Context, r Run) error {
	rows, err := rowOf(r)
	if err != nil {
		return err
	}
	if err := runTable.Insert(ctx, s.conn, rows); err != nil {
		return err
	}
	return detailTable.Insert(ctx, s.conn, rows)
}

// published writes a run again, with its insights published.
func (s store) published(ctx context.Context, r Run) error {
	r.InsightsPublished = true
	rows, err := rowOf(r)
	if err != nil {
		return err
	}
	return detailTable.Insert(ctx, s.conn, rows)
}

func rowOf(r Run) ([]runRow, error) {
	plan, err := json.Marshal(r.Plan)
	if err != nil {
		return nil, fmt.Errorf("score: encode the plan of a run: %w", err)
	}
	return []runRow{{r, string(plan)}}, nil
}
