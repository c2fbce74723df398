package transaction

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// months makes the monthly partitions that bundles need, and remembers which exist.
type months struct {
	pool  *pgxpool.Pool
	mu    sync.Mutex
	ready map[time.Time]bool
}

func newMonths(pool *pgxpool.Pool) *months {
	return &months{pool: pool, ready: map[time.Time]bool{}}
}

// ensure makes the partitions of the entries' months, each in a statement of its own before the bundle's transaction:
// making one locks the parent table for a moment, and a month is made once in its life.
func (m *months) ensure(ctx context.Context, entries []*entry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range entries {
		if e.err != nil || e.late {
			continue
		}
		day := e.row.BusinessDate.Time
		month := time.Date(day.Year(), day.Month(), 1, 0, 0, 0, 0, time.UTC)
		if m.ready[month] {
			continue
		}
		if err := m.create(ctx, month); err != nil {
			return err
		}
		m.ready[month] = true
	}
	return nil
}

// forget looks for every partition anew.
func (m *months) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.ready)
}

func (m *months) create(ctx context.Context, month time.Time) error {
	name := "transaction_" + month.Format("200601")
	var exists bool
	if err := m.pool.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", name).Scan(&exists); err != nil || exists {
		return err
	}
	_, err := m.pool.Exec(ctx, fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s PARTITION OF transaction FOR VALUES FROM ('%s') TO ('%s')",
		name, month.Format(time.DateOnly), month.AddDate(0, 1, 0).Format(time.DateOnly)))
	// Another process may have made it at the same moment.
	if code := sqlState(err); code == pgerrcode.DuplicateTable || code == pgerrcode.UniqueViolation || code == pgerrcode.InvalidObjectDefinition {
		return nil
	}
	return err
}

func sqlState(err error) string {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code
	}
	return ""
}
