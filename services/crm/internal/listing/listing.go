// Package listing is what all lists share beside their rows: a limit on their time, and counts.
package listing

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// TimeMax is how long one statement of a list may take. A list without an index behind its order or filter reads and sorts
// all there is: a million customers take a second or two, and what takes longer than this is better asked otherwise.
const TimeMax = 10 * time.Second

// Querier is a pool, a connection or a transaction.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// Within runs a statement of a list. When it takes longer than it may, Postgres is told to stop, and the error is
// FAILED_PRECONDITION with the reason LIST_TOO_LARGE and an advice.
func Within(ctx context.Context, limit time.Duration, advice func() string, run func(context.Context) error) error {
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := run(bounded)
	if err != nil && ctx.Err() == nil && errors.Is(bounded.Err(), context.DeadlineExceeded) {
		return apperr.Wrap(err, codes.FailedPrecondition, apperr.ReasonListTooLarge, "this takes longer than %s: %s", limit, advice())
	}
	return err
}

// OutOfRange reports whether Postgres could not read a value, as one of a page token that no list of ours wrote.
func OutOfRange(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pgerrcode.IsDataException(pg.Code)
}

// Count counts the rows of `FROM …` as far as a request asks for it; nil when it does not.
func Count(ctx context.Context, q Querier, mode crmv1.CountMode, from string, args []any) (*crmv1.Count, error) {
	switch mode {
	case crmv1.CountMode_COUNT_MODE_EXACT:
		return exact(ctx, q, from, args)
	case crmv1.CountMode_COUNT_MODE_ESTIMATED:
		return estimate(ctx, q, from, args)
	default:
		return nil, nil //nolint:nilnil // nothing was asked for
	}
}

func exact(ctx context.Context, q Querier, from string, args []any) (*crmv1.Count, error) {
	count := &crmv1.Count{}
	advice := func() string { return "narrow the filter, or ask for an estimated count" }
	err := Within(ctx, TimeMax, advice, func(ctx context.Context) error {
		rows, err := q.Query(ctx, "SELECT count(*) FROM "+from, args...)
		if err != nil {
			return err
		}
		count.Value, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[int64])
		return err
	})
	if err != nil {
		return nil, err
	}
	return count, nil
}

// estimate asks the planner, which keeps statistics of every column and reads no row.
func estimate(ctx context.Context, q Querier, from string, args []any) (*crmv1.Count, error) {
	rows, err := q.Query(ctx, "EXPLAIN (FORMAT JSON) SELECT FROM "+from, args...)
	if err != nil {
		return nil, err
	}
	raw, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[[]byte])
	if err != nil {
		return nil, err
	}
	var plans []struct {
		Plan struct {
			Rows float64 `json:"Plan Rows"`
		}
	}
	if err := json.Unmarshal(raw, &plans); err != nil || len(plans) != 1 {
		return nil, fmt.Errorf("a plan without a number of rows: %s: %w", raw, err)
	}
	return &crmv1.Count{Value: int64(plans[0].Plan.Rows), Estimated: true}, nil
}
