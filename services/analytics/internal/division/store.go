package division

import (
	"context"
	_ "embed" // the SQL file
	"errors"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/page"
	"tandem.bank/services/analytics/internal/snapshot"
	"tandem.bank/services/analytics/internal/warehouse"
)

//go:embed sql/runs.sql
var runsSQL string

// newRows are the rows of runs in a table.
func newRows(conn driver.Conn, runs string) snapshot.Store[Run] {
	return snapshot.Store[Run]{Conn: conn, Table: runTable(runs), SQL: strings.Replace(runsSQL, "/*runs*/", runs, 1), Scan: scan}
}

func scan(rows driver.Rows) (Run, error) {
	var r Run
	var keys []string
	var customers []uint64
	var published uint8
	err := rows.Scan(&r.ID, &r.Definition, &r.Version, &r.SettingsKey, &r.Settings, &r.AsOf, &r.Customers, &keys, &customers, &r.Result,
		&r.ReplacedID, &r.ReplacedAsOf, &r.ComputedTime, &r.NewestEventTime, &published)
	for i, key := range keys {
		r.Parts = append(r.Parts, Part{key, customers[i]})
	}
	r.InsightsPublished = published == 1
	r.NewestEventTime = warehouse.FromEpoch(r.NewestEventTime)
	return r, err
}

func runTable(name string) *warehouse.Table[Run] {
	return warehouse.NewTable(name, append(snapshot.Columns(func(r *Run) *snapshot.Head { return &r.Head }),
		warehouse.Col("definition", func(r *Run) string { return r.Definition }),
		warehouse.Col("definition_version", func(r *Run) uint64 { return r.Version }),
		warehouse.Col("settings", func(r *Run) string { return r.Settings }),
		warehouse.Col("as_of", func(r *Run) time.Time { return r.AsOf }),
		warehouse.Col("part_keys", func(r *Run) []string { return r.keys() }),
		warehouse.Col("part_customers", func(r *Run) []uint64 {
			out := make([]uint64, len(r.Parts))
			for i, p := range r.Parts {
				out[i] = p.Customers
			}
			return out
		}),
		warehouse.Col("result", func(r *Run) string { return r.Result }),
		warehouse.Col("replaced_run_id", func(r *Run) uuid.UUID { return r.ReplacedID }),
		warehouse.Col("replaced_as_of", func(r *Run) time.Time { return warehouse.OrEpoch(r.ReplacedAsOf) }),
	)...)
}

func (r Run) keys() []string {
	out := make([]string, len(r.Parts))
	for i, p := range r.Parts {
		out[i] = p.Key
	}
	return out
}

// Find returns a run by its id or, when that is empty, the last one of a definition that was computed, or of any when that
// is empty, too. Errors: INVALID_ARGUMENT, NOT_FOUND, UNAVAILABLE.
func (s *Store) Find(ctx context.Context, runID, definition string) (Run, error) {
	condition, args := "1", []driver.NamedValue(nil)
	switch {
	case runID != "":
		id, err := uuid.Parse(runID)
		if err != nil {
			return Run{}, apperr.InvalidField("run_id", "must be a UUID")
		}
		condition, args = "run_id = {run_id:UUID}", []driver.NamedValue{warehouse.Named("run_id", id.String())}
	case definition != "":
		condition, args = "definition = {definition:String}", []driver.NamedValue{warehouse.Named("definition", definition)}
	}
	run, err := s.First(ctx, condition, snapshot.LastFirst, args...)
	return run, s.public(err)
}

// At returns the newest run of a definition that is of a day or of an earlier one; NOT_FOUND when there is none.
func (s *Store) At(ctx context.Context, definition string, until time.Time) (Run, error) {
	run, err := s.First(ctx, "definition = {definition:String} AND as_of <= {until:Date32}", snapshot.NewestFirst,
		warehouse.Named("definition", definition), warehouse.Named("until", warehouse.Day(until)))
	if errors.Is(err, snapshot.ErrNone) {
		return Run{}, apperr.NotFound("there is no run of %s at or before %s", definition, warehouse.Day(until))
	}
	return run, s.public(err)
}

// nearMax is how many runs on either side of a day are looked at.
const nearMax = 10

// Near returns the runs of a definition that are nearest to a day: those until it, the latest first, then those after it.
func (s *Store) Near(ctx context.Context, definition string, asOf time.Time) ([]Run, error) {
	args := []driver.NamedValue{warehouse.Named("definition", definition), warehouse.Named("as_of", warehouse.Day(asOf))}
	before, err := s.Runs(ctx, "definition = {definition:String} AND as_of <= {as_of:Date}", snapshot.NewestFirst, nearMax, args...)
	if err != nil {
		return nil, s.public(err)
	}
	after, err := s.Runs(ctx, "definition = {definition:String} AND as_of > {as_of:Date}", "as_of, computed_time, run_id", nearMax, args...)
	return append(before, after...), s.public(err)
}

// Begin finds the run of the same definition, version and day over the same data, or prepares a new one of a complete spec.
func (s *Store) Begin(ctx context.Context, plan Plan, newest time.Time) (run Run, there bool, err error) {
	run = Run{Definition: plan.Definition, Version: plan.Version, AsOf: plan.AsOf}
	if run.Settings, err = snapshot.JSON(plan.Spec); err != nil {
		return run, false, err
	}
	key, err := snapshot.Key(plan.Spec)
	if err != nil {
		return run, false, err
	}
	if run.Head, err = snapshot.NewHead(key, newest); err != nil {
		return run, false, err
	}
	twin, err := s.First(ctx,
		"definition = {definition:String} AND definition_version = {version:UInt64} AND settings_key = {key:String} AND as_of = {as_of:Date}",
		snapshot.LastFirst, warehouse.Named("definition", run.Definition), warehouse.Named("version", run.Version),
		warehouse.Named("key", run.SettingsKey), warehouse.Named("as_of", warehouse.Day(run.AsOf)))
	switch {
	case err == nil && twin.NewestEventTime.Equal(run.NewestEventTime):
		return twin, true, nil
	case err != nil && !errors.Is(err, snapshot.ErrNone):
		return run, false, s.public(err)
	}
	replaced, err := s.First(ctx, "definition = {definition:String}", snapshot.NewestFirst, warehouse.Named("definition", run.Definition))
	if errors.Is(err, snapshot.ErrNone) {
		return run, false, nil
	}
	run.ReplacedID, run.ReplacedAsOf = replaced.ID, replaced.AsOf
	return run, false, s.public(err)
}

// runToken continues a list of runs.
type runToken struct {
	Computed int64  `json:"computed"`
	RunID    string `json:"run"`
}

// List returns a page of runs, the last computed first, of a definition or of all when it is empty.
func (s *Store) List(ctx context.Context, definition string, pageSize int32, pageToken string) (runs []Run, next string, err error) {
	parameters := []string{s.kind + "_runs", definition}
	token, err := page.Decode[runToken](pageToken, parameters...)
	if err != nil {
		return nil, "", err
	}
	condition, args := "({definition:String} = '' OR definition = {definition:String})", []driver.NamedValue{warehouse.Named("definition", definition)}
	if token != nil {
		condition += " AND (computed_time, run_id) < (fromUnixTimestamp64Micro({computed:Int64}, 'UTC'), {run_id:UUID})"
		args = append(args, warehouse.Named("computed", token.Computed), warehouse.Named("run_id", token.RunID))
	}
	size := snapshot.PageSize(pageSize)
	runs, err = s.Runs(ctx, condition, snapshot.LastFirst, size+1, args...)
	if err != nil || len(runs) <= size {
		return runs, "", s.public(err)
	}
	runs = runs[:size]
	last := runs[size-1]
	next, err = page.Encode(runToken{last.ComputedTime.UnixMicro(), last.ID.String()}, parameters...)
	return runs, next, err
}
