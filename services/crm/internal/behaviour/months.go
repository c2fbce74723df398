package behaviour

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"tandem.bank/pkg/lifecycle"
)

// pruneInterval is how often months that left the window are dropped.
const pruneInterval = time.Hour

// partitionPrefix and partitionMonth make a partition's name, such as behaviour_event_202603.
const (
	partitionPrefix = "behaviour_event_"
	partitionMonth  = "200601"
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
		first := month(*e.row.OccurredAt)
		if m.ready[first] {
			continue
		}
		_, err := m.pool.Exec(ctx, fmt.Sprintf(
			"CREATE TABLE IF NOT EXISTS %s PARTITION OF behaviour_event FOR VALUES FROM ('%s') TO ('%s')", partitionPrefix+first.Format(partitionMonth),
			first.Format(time.RFC3339), first.AddDate(0, 1, 0).Format(time.RFC3339)))
		// Another process may have made it at the same moment.
		if err != nil && !madeByOthers(err) {
			return err
		}
		m.ready[first] = true
	}
	return nil
}

func madeByOthers(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (pg.Code == pgerrcode.DuplicateTable || pg.Code == pgerrcode.UniqueViolation || pg.Code == pgerrcode.InvalidObjectDefinition)
}

// Run drops months that left the window until the context ends. Without a window nothing is dropped.
func (r *Recorder) Run(ctx context.Context, log *slog.Logger) error {
	return lifecycle.Every(ctx, pruneInterval, func(ctx context.Context) {
		if err := r.Prune(ctx, time.Now()); err != nil && ctx.Err() == nil {
			log.Warn("old behaviour events could not be dropped; it is tried again", "error", err)
		}
	})
}

// Prune drops the months that lie before the window. Their keys stay, so that nothing comes back.
func (r *Recorder) Prune(ctx context.Context, now time.Time) error {
	if r.window == 0 {
		return nil
	}
	rows, err := r.pool.Query(ctx, "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'behaviour_event'::regclass")
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	r.months.mu.Lock()
	defer r.months.mu.Unlock()
	for _, name := range names {
		first, err := time.Parse(partitionPrefix+partitionMonth, name)
		if err != nil || !first.Before(oldest(now, r.window)) {
			continue
		}
		if _, err := r.pool.Exec(ctx, "DROP TABLE "+pgx.Identifier{name}.Sanitize()); err != nil {
			return err
		}
		delete(r.months.ready, first)
	}
	return nil
}
