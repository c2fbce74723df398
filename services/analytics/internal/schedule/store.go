package schedule

import (
	"context"
	_ "embed" // the SQL files
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"tandem.bank/services/analytics/internal/warehouse"
)

var (
	//go:embed sql/runs.sql
	runsSQL string
	//go:embed sql/run.sql
	runSQL string
	//go:embed sql/open.sql
	openSQL string
	//go:embed sql/newest.sql
	newestSQL string
)

// outcome is how a run ended, in the words of the table.
type outcome string

const (
	running outcome = "running"
	done    outcome = "done"
	failed  outcome = "failed"
	givenUp outcome = "given_up"
)

// key is what a run is not done twice for.
type key struct {
	definitionID, specVersion uint64
	asOf                      string
}

// run is a run as it is recorded.
type run struct {
	definitionID, specVersion uint64
	asOf                      time.Time
	name, kind                string
	fired, started, ended     time.Time
	outcome                   outcome
	result, problem           string
	attempts                  uint32
	changed                   time.Time
}

// none stands for a time that is not known.
var none = time.Unix(0, 0).UTC()

// now is the moment as the table keeps it.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

func known(t time.Time) bool { return t.After(none) }

func orNone(t time.Time) time.Time {
	if t.IsZero() {
		return none
	}
	return t
}

var table = warehouse.NewTable("schedule_run",
	warehouse.Col("definition_id", func(r *run) uint64 { return r.definitionID }),
	warehouse.Col("spec_version", func(r *run) uint64 { return r.specVersion }),
	warehouse.Col("as_of", func(r *run) time.Time { return r.asOf }),
	warehouse.Col("name", func(r *run) string { return r.name }),
	warehouse.Col("kind", func(r *run) string { return r.kind }),
	warehouse.Col("fire_time", func(r *run) time.Time { return orNone(r.fired) }),
	warehouse.Col("start_time", func(r *run) time.Time { return orNone(r.started) }),
	warehouse.Col("end_time", func(r *run) time.Time { return orNone(r.ended) }),
	warehouse.Col("outcome", func(r *run) string { return string(r.outcome) }),
	warehouse.Col("result", func(r *run) string { return r.result }),
	warehouse.Col("error", func(r *run) string { return r.problem }),
	warehouse.Col("attempts", func(r *run) uint32 { return r.attempts }),
	warehouse.Col("changed_time", func(r *run) time.Time { return r.changed }),
)

// store reads and writes runs.
type store struct{ conn driver.Conn }

// save writes what became of a run; it replaces what was written before.
func (s store) save(ctx context.Context, r *run) error {
	at := now()
	if !at.After(r.changed) {
		at = r.changed.Add(time.Microsecond)
	}
	r.changed = at
	return table.Insert(ctx, s.conn, []run{*r})
}

// find returns a run; nil when there is none.
func (s store) find(ctx context.Context, k key) (*run, error) {
	found, err := s.read(ctx, runSQL,
		clickhouse.Named("id", k.definitionID), clickhouse.Named("version", k.specVersion), clickhouse.Named("as_of", k.asOf))
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// open returns the runs that are not over.
func (s store) open(ctx context.Context) ([]*run, error) { return s.read(ctx, openSQL) }

// newest returns the newest run of each definition; its time of firing is the last of all its runs.
func (s store) newest(ctx context.Context) (map[uint64]*run, error) {
	found, err := s.read(ctx, newestSQL)
	out := make(map[uint64]*run, len(found))
	for _, r := range found {
		out[r.definitionID] = r
	}
	return out, err
}

// place is where a page of runs ended.
type place struct {
	Started      int64  `json:"s"`
	DefinitionID uint64 `json:"d"`
	SpecVersion  uint64 `json:"v"`
	AsOf         string `json:"a"`
}

// page returns runs of some definitions, newest first, behind a place.
func (s store) page(ctx context.Context, ids []uint64, after place, limit int) ([]*run, error) {
	if after.AsOf == "" {
		after.AsOf = day(none)
	}
	return s.read(ctx, runsSQL, clickhouse.Named("ids", ids), clickhouse.Named("before", after.Started), clickhouse.Named("id", after.DefinitionID),
		clickhouse.Named("version", after.SpecVersion), clickhouse.Named("as_of", after.AsOf), clickhouse.Named("limit", limit))
}

func (s store) read(ctx context.Context, query string, args ...any) ([]*run, error) {
	var out []*run
	err := warehouse.Each(ctx, s.conn, "schedule: read runs", warehouse.Query{SQL: query, Args: args}, func(rows driver.Rows) error {
		var r run
		var how string
		err := rows.Scan(&r.definitionID, &r.specVersion, &r.asOf, &r.name, &r.kind, &r.fired, &r.started, &r.ended, &how, &r.result, &r.problem,
			&r.attempts, &r.changed)
		r.outcome = outcome(how)
		out = append(out, &r)
		return err
	})
	return out, err
}
