package outbox

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// querier is a pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// listPartitions returns the range partitions, oldest first.
func listPartitions(ctx context.Context, q querier) ([]partition, error) {
	rows, err := q.Query(ctx, `SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
		WHERE i.inhparent = 'outbox'::regclass ORDER BY c.relname`)
	if err != nil {
		return nil, fmt.Errorf("list partitions: %w", err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("list partitions: %w", err)
	}
	var partitions []partition
	for _, name := range names {
		if p, ok := parsePartition(name); ok {
			partitions = append(partitions, p)
		}
	}
	return partitions, nil
}

func anyCovers(partitions []partition, day time.Time) bool {
	for _, p := range partitions {
		if p.covers(day) {
			return true
		}
	}
	return false
}

// createPartition makes a table and attaches it. CREATE TABLE … PARTITION OF would lock out every writer of the outbox;
// ATTACH locks only the default partition, which nobody writes to, and reads it, which is empty.
func createPartition(ctx context.Context, tx pgx.Tx, p partition) error {
	for _, sql := range []string{
		"CREATE TABLE " + p.name() + " (LIKE outbox INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES INCLUDING STORAGE)",
		"ALTER TABLE outbox ATTACH PARTITION " + p.name() + " FOR VALUES " + p.bounds(),
	} {
		if _, err := tx.Exec(ctx, sql); err != nil {
			return fmt.Errorf("create partition %s: %w", p.name(), err)
		}
	}
	return nil
}

// settleDefault attaches the default partition again under the days of its rows and puts an empty one in its place.
//
// The rows stay where they are: moving them would delete from an insert-only table and publish them twice. The days
// follow each other, because rows get here only when maintenance was away until now. Should other partitions lie in
// between (a clock that jumped), the attach fails, everything is rolled back, and the rows stay in the default.
func settleDefault(ctx context.Context, tx pgx.Tx) (*partition, error) {
	// Writers wait for the few milliseconds that this takes.
	if _, err := tx.Exec(ctx, "LOCK TABLE outbox IN ACCESS EXCLUSIVE MODE"); err != nil {
		return nil, fmt.Errorf("lock the outbox: %w", err)
	}
	var first, last *time.Time
	if err := tx.QueryRow(ctx, "SELECT min(created_at), max(created_at) FROM "+defaultName).Scan(&first, &last); err != nil {
		return nil, fmt.Errorf("read the days of the default partition: %w", err)
	}
	if first == nil {
		return nil, nil //nolint:nilnil // another process was faster, nothing is left to settle
	}
	p := partition{dayOf(*first), nextDay(dayOf(*last))}
	for _, sql := range []string{
		"ALTER TABLE outbox DETACH PARTITION " + defaultName,
		"ALTER TABLE " + defaultName + " RENAME TO " + p.name(),
		"ALTER INDEX " + defaultName + "_pkey RENAME TO " + p.name() + "_pkey",
		"ALTER TABLE outbox ATTACH PARTITION " + p.name() + " FOR VALUES " + p.bounds(),
		"CREATE TABLE " + defaultName + " PARTITION OF outbox DEFAULT",
	} {
		if _, err := tx.Exec(ctx, sql); err != nil {
			return nil, fmt.Errorf("settle the default partition as %s: %w", p.name(), err)
		}
	}
	return &p, nil
}

// dropPublished drops a partition if the relay has published every row in it, and reports whether it did.
func dropPublished(ctx context.Context, tx pgx.Tx, p partition, slotName string) (bool, error) {
	// Keeps a transaction that has been open since that day from adding a row after the look. Its row goes to the
	// default partition once this one is gone.
	if _, err := tx.Exec(ctx, "LOCK TABLE "+p.name()+" IN SHARE MODE"); err != nil {
		return false, fmt.Errorf("lock partition %s: %w", p.name(), err)
	}
	var published bool
	err := tx.QueryRow(ctx, `
		SELECT NOT EXISTS (
			SELECT FROM `+p.name()+` o
			WHERE NOT coalesce(o.xact_id < (
				SELECT r.published_before FROM outbox_relay r, pg_control_system() c
				WHERE r.slot_name = $1 AND r.system_identifier = c.system_identifier), false))`, slotName).Scan(&published)
	if err != nil {
		return false, fmt.Errorf("look whether partition %s is published: %w", p.name(), err)
	}
	if !published {
		return false, nil
	}
	// Takes the outbox exclusively for a moment. DETACH … CONCURRENTLY would not, but it refuses tables that have a
	// default partition; the lock timeout bounds how long writers can queue behind this.
	if _, err := tx.Exec(ctx, "DROP TABLE "+p.name()); err != nil {
		return false, fmt.Errorf("drop partition %s: %w", p.name(), err)
	}
	return true, nil
}
