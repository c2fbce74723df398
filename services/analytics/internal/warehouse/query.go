package warehouse

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
)

// Query is a statement with its bound values: no value ever becomes part of the text.
type Query struct {
	SQL  string
	Args []any
}

// Named binds a value to a {name:Type} of a statement.
func Named(name string, value any) driver.NamedValue { return clickhouse.Named(name, value) }

// Interpreted keeps ClickHouse from compiling the expressions of a statement to machine code, which takes it seconds when there are
// hundreds of them, and again whenever one of their constants is another: it is for long statements about few rows.
func Interpreted(ctx context.Context) context.Context {
	return clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{
		"compile_expressions": 0, "compile_aggregate_expressions": 0, "compile_sort_description": 0,
	}))
}

// Exec runs a statement that answers nothing; what says what for, in an error.
func Exec(ctx context.Context, conn driver.Conn, what string, q Query) error {
	if err := conn.Exec(ctx, q.SQL, q.Args...); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// Each calls scan for each row of a query, as the rows arrive; what says what for, in an error.
func Each(ctx context.Context, conn driver.Conn, what string, q Query, scan func(driver.Rows) error) error {
	rows, err := conn.Query(ctx, q.SQL, q.Args...)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// Public turns what an operator must mend into UNAVAILABLE, and leaves the rest.
func Public(err error) error {
	var told *apperr.Error
	if !errors.As(err, &told) && Temporary(err) {
		return apperr.Wrap(err, codes.Unavailable, apperr.ReasonUnavailable, "ClickHouse does not answer; try again")
	}
	return err
}

// Days that the type Date can hold.
var (
	DayMin = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
	DayMax = time.Date(2149, 6, 6, 0, 0, 0, 0, time.UTC)
)

// Day renders a day as statements take it.
func Day(t time.Time) string { return t.Format(time.DateOnly) }

// OrEpoch is how columns without NULL keep a moment that is not known.
func OrEpoch(t time.Time) time.Time {
	if t.IsZero() {
		return time.UnixMicro(0).UTC()
	}
	return t
}

// FromEpoch reads back what OrEpoch made.
func FromEpoch(t time.Time) time.Time {
	if t.UnixMicro() == 0 {
		return time.Time{}
	}
	return t
}

// Flag is how columns keep yes and no.
func Flag(yes bool) uint8 {
	if yes {
		return 1
	}
	return 0
}
