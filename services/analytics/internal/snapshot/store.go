package snapshot

import (
	"context"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"tandem.bank/services/analytics/internal/warehouse"
)

// Orders of runs.
const (
	// LastFirst has the run first that was computed last.
	LastFirst = "computed_time DESC, run_id DESC"
	// NewestFirst has the run first that looks from the latest day, of those the one computed last.
	NewestFirst = "as_of DESC, " + LastFirst
)

// unpublishedMax bounds how many runs are sent home in one go.
const unpublishedMax = 1000

// Store reads and writes the rows of a room's runs.
type Store[R any] struct {
	Conn driver.Conn
	// Table takes rows; a later row of a run replaces the earlier one.
	Table *warehouse.Table[R]
	// SQL reads rows, each run once: WHERE /*which*/ ORDER BY /*order*/ LIMIT {limit:UInt64}.
	SQL string
	// Scan reads a row of SQL.
	Scan func(driver.Rows) (R, error)
}

// Exec runs a statement about runs; what says what for, in an error.
func (s Store[R]) Exec(ctx context.Context, what string, q warehouse.Query) error {
	return warehouse.Exec(ctx, s.Conn, s.Table.Name()+": "+what, q)
}

// Each calls scan for each row of a query about runs; what says what for, in an error.
func (s Store[R]) Each(ctx context.Context, what string, q warehouse.Query, scan func(driver.Rows) error) error {
	return warehouse.Each(ctx, s.Conn, s.Table.Name()+": "+what, q, scan)
}

// Runs returns what a condition finds. Condition and order are constants of a room, never input.
func (s Store[R]) Runs(ctx context.Context, condition, order string, limit int, args ...driver.NamedValue) ([]R, error) {
	q := warehouse.Query{
		SQL:  strings.NewReplacer("/*which*/", condition, "/*order*/", order).Replace(s.SQL),
		Args: []any{warehouse.Named("limit", limit)},
	}
	for _, a := range args {
		q.Args = append(q.Args, a)
	}
	var out []R
	err := s.Each(ctx, "read runs", q, func(rows driver.Rows) error {
		r, err := s.Scan(rows)
		out = append(out, r)
		return err
	})
	return out, err
}

// First returns the first run that a condition finds; ErrNone when there is none.
func (s Store[R]) First(ctx context.Context, condition, order string, args ...driver.NamedValue) (R, error) {
	found, err := s.Runs(ctx, condition, order, 1, args...)
	if err == nil && len(found) == 0 {
		err = ErrNone
	}
	if err != nil {
		var none R
		return none, err
	}
	return found[0], nil
}

// Run returns a run, or the last that was computed for the zero UUID; ErrNone when there is none.
func (s Store[R]) Run(ctx context.Context, id uuid.UUID) (R, error) {
	if id == uuid.Nil {
		return s.First(ctx, "1", LastFirst)
	}
	return s.First(ctx, "run_id = {run_id:UUID}", LastFirst, warehouse.Named("run_id", id.String()))
}

// Save writes the row that makes a run visible, or the same with its insights published.
func (s Store[R]) Save(ctx context.Context, run R) error {
	return s.Table.Insert(ctx, s.Conn, []R{run})
}

// unpublished finds runs whose insights did not all go home, the last first.
func (s Store[R]) unpublished(ctx context.Context) ([]R, error) {
	return s.Runs(ctx, "insights_published = 0", LastFirst, unpublishedMax)
}
