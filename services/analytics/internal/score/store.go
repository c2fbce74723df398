package score

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"tandem.bank/services/analytics/internal/snapshot"
	"tandem.bank/services/analytics/internal/warehouse"
)

// errNoModel says that the registry has no such model.
var errNoModel = errors.New("no such model")

// store reads and writes the tables of scores.
type store struct{ conn driver.Conn }

// each calls scan for each row of a query.
func (s store) each(ctx context.Context, what string, q warehouse.Query, scan func(driver.Rows) error) error {
	return warehouse.Each(ctx, s.conn, "score: "+what, q, scan)
}

// runs returns what a query over score_run_detail finds.
func (s store) runs(ctx context.Context, q warehouse.Query) ([]Run, error) {
	var out []Run
	err := s.each(ctx, "read runs", q, func(rows driver.Rows) error {
		r, err := scanRun(rows)
		out = append(out, r)
		return err
	})
	return out, err
}

func scanRun(rows driver.Rows) (Run, error) {
	var r Run
	var version uint32
	var names []string
	var counts []uint64
	var means, challenge []float64
	var plan string
	var published uint8
	if err := rows.Scan(&r.ID, &r.Score, &version, &r.Kind, &r.AsOf, &r.Customers, &r.Mean, &names, &counts, &means, &plan, &r.ModelVersion,
		&r.ChallengerVersion, &r.Base, &r.Stability, &r.FeatureStability, &challenge, &r.ComputedTime, &r.NewestEventTime, &published); err != nil {
		return r, err
	}
	r.DefinitionVersion, r.InsightsPublished = uint64(version), published == 1
	for i, name := range names {
		r.Grades = append(r.Grades, GradeSum{name, counts[i], means[i]})
	}
	if len(challenge) == 3 {
		r.Challenge = &Challenge{challenge[0], challenge[1], challenge[2]}
	}
	r.NewestEventTime = warehouse.FromEpoch(r.NewestEventTime)
	return r, json.Unmarshal([]byte(plan), &r.Plan)
}

// first returns the first run that a query finds; snapshot.ErrNone when there is none.
func (s store) first(ctx context.Context, q warehouse.Query) (Run, error) {
	found, err := s.runs(ctx, q)
	if err != nil {
		return Run{}, err
	}
	if len(found) == 0 {
		return Run{}, snapshot.ErrNone
	}
	return found[0], nil
}

// values reads a page of scores with their dimensions.
func (s store) values(ctx context.Context, r Run, q warehouse.Query) ([]Value, error) {
	var out []Value
	var ids []uint64
	place := map[uint64]int{}
	err := s.each(ctx, "read scores", q, func(rows driver.Rows) error {
		v := Value{Challenger: math.NaN()}
		err := rows.Scan(&v.CustomerID, &v.Value, &v.Grade)
		place[v.CustomerID] = len(out)
		out, ids = append(out, v), append(ids, v.CustomerID)
		return err
	})
	if err != nil || len(out) == 0 {
		return nil, err
	}
	parts := warehouse.Query{
		SQL:  "SELECT customer_id, dimensions, challenger FROM score_part WHERE " + thisRun + " AND customer_id IN {ids:Array(UInt64)}",
		Args: append(ofRun(r), warehouse.Named("ids", ids)),
	}
	return out, s.each(ctx, "read dimensions", parts, func(rows driver.Rows) error {
		var v Value
		err := rows.Scan(&v.CustomerID, &v.Dimensions, &v.Challenger)
		at := &out[place[v.CustomerID]]
		at.Dimensions, at.Challenger = v.Dimensions, v.Challenger
		return err
	})
}

// one returns a customer's score with its parts; false when the customer is not in the run, or in another branch.
func (s store) one(ctx context.Context, r Run, customer uint64, branches []int64, limited bool) (v Value, found bool, err error) {
	v.CustomerID = customer
	one := append(ofRun(r), warehouse.Named("customer_id", customer))
	q := warehouse.Query{SQL: "SELECT value, band FROM score WHERE " + thisRun + " AND customer_id = {customer_id:UInt64}", Args: one}
	if limited {
		q.SQL += " AND customer_id IN (" + ofBranches + " AND customer_id = {customer_id:UInt64})"
		q.Args = append(one, warehouse.Named("branches", branches)) //nolint:gocritic // the query before it is not used again
	}
	err = s.each(ctx, "read a score", q, func(rows driver.Rows) error {
		found = true
		return rows.Scan(&v.Value, &v.Grade)
	})
	if err != nil || !found {
		return v, false, err
	}
	q = warehouse.Query{
		SQL:  "SELECT parts, dimensions, observed, challenger FROM score_part WHERE " + thisRun + " AND customer_id = {customer_id:UInt64}",
		Args: append(ofRun(r), warehouse.Named("customer_id", customer)),
	}
	return v, true, s.each(ctx, "read the parts of a score", q, func(rows driver.Rows) error {
		return rows.Scan(&v.Parts, &v.Dimensions, &v.Observed, &v.Challenger)
	})
}

// Point is an earlier score of a customer.
type Point struct {
	AsOf              time.Time
	Value             float64
	Grade             string
	DefinitionVersion uint32
	ModelVersion      uint32
}

// trend are the scores of days before a run's, newest first; of each day that of its last run.
func (s store) trend(ctx context.Context, r Run, customer uint64, limit int) ([]Point, error) {
	var out []Point
	q := warehouse.Query{
		SQL: `
SELECT v.as_of, argMax(v.value, at), argMax(v.band, at), argMax(d.definition_version, at), argMax(d.model_version, at)
FROM (SELECT as_of, run_id, value, band FROM score
    WHERE score = {score:String} AND as_of < {as_of:Date} AND customer_id = {customer_id:UInt64}) AS v
INNER JOIN (SELECT run_id, definition_version, model_version, (computed_time, run_id) AS at FROM score_run_detail FINAL
    WHERE score = {score:String}) AS d ON d.run_id = v.run_id
GROUP BY v.as_of ORDER BY v.as_of DESC LIMIT {limit:UInt32}`,
		Args: append(ofRun(r), warehouse.Named("customer_id", customer), warehouse.Named("limit", limit)),
	}
	err := s.each(ctx, "read earlier scores", q, func(rows driver.Rows) error {
		var p Point
		err := rows.Scan(&p.AsOf, &p.Value, &p.Grade, &p.DefinitionVersion, &p.ModelVersion)
		out = append(out, p)
		return err
	})
	return out, err
}

const selectModels = `
SELECT score, model_key, trained_as_of, definition_version, model, computed_time, newest_event_time
FROM score_model FINAL WHERE score = {score:String} AND model_key = {key:String}
`

// model returns one of the registry; errNoModel when there is none.
func (s store) model(ctx context.Context, score, key string, asOf time.Time) (*Model, error) {
	return s.firstModel(ctx, warehouse.Query{
		SQL:  selectModels + "AND trained_as_of = {as_of:Date}",
		Args: []any{warehouse.Named("score", score), warehouse.Named("key", key), warehouse.Named("as_of", day(asOf))},
	})
}

// lastModel returns the one that was trained last.
func (s store) lastModel(ctx context.Context, score, key string) (*Model, error) {
	return s.firstModel(ctx, warehouse.Query{
		SQL: selectModels + "ORDER BY computed_time DESC LIMIT 1", Args: []any{warehouse.Named("score", score), warehouse.Named("key", key)},
	})
}

func (s store) firstModel(ctx context.Context, q warehouse.Query) (*Model, error) {
	found, err := s.models(ctx, q)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, errNoModel
	}
	return found[0], nil
}

// modelsBefore lists models trained as of days before one, newest first; a zero day begins with the newest.
func (s store) modelsBefore(ctx context.Context, score, key string, before time.Time, limit int) ([]*Model, error) {
	q := warehouse.Query{SQL: selectModels, Args: []any{warehouse.Named("score", score), warehouse.Named("key", key), warehouse.Named("limit", limit)}}
	if !before.IsZero() {
		q.SQL += "AND trained_as_of < {before:Date}"
		q.Args = append(q.Args, warehouse.Named("before", day(before)))
	}
	q.SQL += " ORDER BY trained_as_of DESC LIMIT {limit:UInt32}"
	return s.models(ctx, q)
}

func (s store) models(ctx context.Context, q warehouse.Query) ([]*Model, error) {
	var out []*Model
	err := s.each(ctx, "read models", q, func(rows driver.Rows) error {
		var m Model
		var version uint32
		var text string
		if err := rows.Scan(&m.Score, &m.Key, &m.TrainedAsOf, &version, &text, &m.ComputedTime, &m.NewestEventTime); err != nil {
			return err
		}
		m.DefinitionVersion = uint64(version)
		out = append(out, &m)
		return json.Unmarshal([]byte(text), &m)
	})
	return out, err
}

// modelRow is a model as the registry keeps it.
type modelRow struct {
	*Model
	text string
}

func (r *modelRow) holdoutAUC() float64 {
	if r.Holdout == nil {
		return math.NaN()
	}
	return r.Holdout.AUC
}

var modelTable = warehouse.NewTable("score_model",
	warehouse.Col("score", func(r *modelRow) string { return r.Score }),
	warehouse.Col("model_key", func(r *modelRow) string { return r.Key }),
	warehouse.Col("trained_as_of", func(r *modelRow) time.Time { return r.TrainedAsOf }),
	warehouse.Col("definition_version", func(r *modelRow) uint32 { return uint32(r.DefinitionVersion) }),
	warehouse.Col("model", func(r *modelRow) string { return r.text }),
	warehouse.Col("customers", func(r *modelRow) uint64 { return uint64(r.Training.Rows) }),
	warehouse.Col("events", func(r *modelRow) uint64 { return uint64(r.Training.Events) }),
	warehouse.Col("auc", func(r *modelRow) float64 { return r.Training.AUC }),
	warehouse.Col("holdout_auc", func(r *modelRow) float64 { return r.holdoutAUC() }),
	warehouse.Col("computed_time", func(r *modelRow) time.Time { return r.ComputedTime }),
	warehouse.Col("newest_event_time", func(r *modelRow) time.Time { return warehouse.OrEpoch(r.NewestEventTime) }),
)

func (s store) saveModel(ctx context.Context, m *Model) error {
	text, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("score: encode a model: %w", err)
	}
	return modelTable.Insert(ctx, s.conn, []modelRow{{m, string(text)}})
}
