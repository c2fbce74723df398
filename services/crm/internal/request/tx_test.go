package request_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"tandem.bank/pkg/testkit"
	"tandem.bank/services/crm/internal/request"
	"tandem.bank/services/crm/migrations"
)

var (
	template = testkit.Template{Name: "request", Migrate: migrations.Migrate}
	errTaken = errors.New("taken")
)

// TestStatementsRunInTheirOrder though those whose result nobody waits for travel late.
func TestStatementsRunInTheirOrder(t *testing.T) {
	t.Parallel()
	pool := testkit.Postgres(t, template)
	id, input := uuid.NewString(), wrapperspb.Int64(1)
	work := func(tx pgx.Tx) (*wrapperspb.Int64Value, error) {
		ctx := t.Context()
		add := "INSERT INTO region (name) VALUES ($1)"
		if err := request.Later(ctx, tx, nil, add, "first"); err != nil {
			return nil, err
		}
		var seen int64
		if err := tx.QueryRow(ctx, "SELECT count(*) FROM region").Scan(&seen); err != nil {
			return nil, err
		}
		return wrapperspb.Int64(seen), request.Later(ctx, tx, nil, add, "second")
	}
	for range 2 { // the second call returns the first answer and does nothing
		seen, err := request.Once(t.Context(), pool, id, "Count", input, work)
		if err != nil || seen.GetValue() != 1 {
			t.Fatalf("saw %d regions, %v; want the one that was to be added before", seen.GetValue(), err)
		}
	}
	expectRegions(t, pool, 2)
}

// TestRefusalOfALateStatement ends the transaction with the error that the statement was given.
func TestRefusalOfALateStatement(t *testing.T) {
	t.Parallel()
	pool := testkit.Postgres(t, template)
	refused := func(error) error { return errTaken }
	for name, behind := range map[string]func(context.Context, pgx.Tx) error{
		"commit": func(context.Context, pgx.Tx) error { return nil },
		"exec": func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, "SELECT 1")
			return err
		},
		"query": func(ctx context.Context, tx pgx.Tx) error {
			return tx.QueryRow(ctx, "SELECT 1").Scan(new(int))
		},
		"batch": func(ctx context.Context, tx pgx.Tx) error {
			batch := &pgx.Batch{}
			batch.Queue("SELECT 1")
			return tx.SendBatch(ctx, batch).Close()
		},
	} {
		_, err := request.Once(t.Context(), pool, uuid.NewString(), "Refused", wrapperspb.Int64(1), func(tx pgx.Tx) (proto.Message, error) {
			for _, name := range []string{"one", ""} { // no region is without a name
				if err := request.Later(t.Context(), tx, refused, "INSERT INTO region (name) VALUES (nullif($1, ''))", name); err != nil {
					return nil, err
				}
			}
			return wrapperspb.Int64(1), behind(t.Context(), tx)
		})
		if !errors.Is(err, errTaken) {
			t.Errorf("%s: %v, want %v", name, err, errTaken)
		}
	}
	expectRegions(t, pool, 0)
}

func expectRegions(t *testing.T, q interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}, want int,
) {
	t.Helper()
	var count int
	if err := q.QueryRow(t.Context(), "SELECT count(*) FROM region").Scan(&count); err != nil || count != want {
		t.Errorf("%d regions, %v; want %d", count, err, want)
	}
}
