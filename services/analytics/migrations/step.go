package migrations

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"
)

// step is a migration that SQL alone can't do, because what it does hangs on what it finds. Like the others it may be cut off
// anywhere and run again.
type step func(ctx context.Context, db *sql.DB, folder filled) error

// steps are those migrations by their versions. Their SQL is in the folder step.
var steps = map[int64]step{interactionByRangeVersion: interactionByRange}

// goMigrations are the steps as goose takes them.
func goMigrations(folder filled) []*goose.Migration {
	var out []*goose.Migration
	for version, run := range steps {
		out = append(out, goose.NewGoMigration(version, &goose.GoFunc{
			RunDB: func(ctx context.Context, db *sql.DB) error { return run(ctx, db, folder) },
		}, nil))
	}
	return out
}

const (
	interactionByRangeVersion = 67
	interactionByRangeFile    = "step/00067_interaction_by_range.sql"
	// interactionRange is how many numbers a partition has, as in the file.
	interactionRange = 1 << 18
	// inFlightPoll is how often to look whether inserts have ended.
	inFlightPoll = 50 * time.Millisecond
)

// interactionByRange gives the table of interactions partitions. A table's partitions can't be altered: another table is filled
// and takes its name, while ingestion may be going on. Views that copy inserts hang on the name and stay.
//
// Until the swap interaction_by_range is the new table, and from then on the old one; which it is, the partitions of interaction tell.
func interactionByRange(ctx context.Context, db *sql.DB, folder filled) error {
	done, err := interactionPartitioned(ctx, db)
	if err != nil {
		return err
	}
	if !done {
		if err := swapInteractions(ctx, db, folder); err != nil {
			return err
		}
	}
	var left uint64
	const exists = "SELECT count() FROM system.tables WHERE database = currentDatabase() AND name = 'interaction_by_range'"
	if err := db.QueryRowContext(ctx, exists).Scan(&left); err != nil {
		return fmt.Errorf("look for the old interactions: %w", err)
	}
	if left > 0 {
		// Whoever began to insert before the swap wrote to the old table.
		if err := awaitInserts(ctx, db); err != nil {
			return err
		}
		if err := bringInteractions(ctx, db, "interaction_by_range", "interaction"); err != nil {
			return err
		}
	}
	// In a cluster a run that was cut off may have left a Distributed table of that name as well.
	for _, database := range []string{"", quote(folder.warehouse) + "."} {
		if _, err := db.ExecContext(ctx, "DROP TABLE IF EXISTS "+database+"interaction_by_range SYNC"); err != nil {
			return fmt.Errorf("drop the old interactions: %w", err)
		}
	}
	return nil
}

// interactionPartitioned reports whether interaction has its partitions.
func interactionPartitioned(ctx context.Context, db *sql.DB) (bool, error) {
	var columns uint64
	const partitions = `SELECT count() FROM system.columns
		WHERE database = currentDatabase() AND table = 'interaction' AND name = 'interaction_id' AND is_in_partition_key`
	if err := db.QueryRowContext(ctx, partitions).Scan(&columns); err != nil {
		return false, fmt.Errorf("look for partitions of interaction: %w", err)
	}
	return columns > 0, nil
}

// swapInteractions fills the new table and swaps the names. Two programs that migrate at once must not swap back.
func swapInteractions(ctx context.Context, db *sql.DB, folder filled) error {
	create, err := fs.ReadFile(folder, interactionByRangeFile)
	if err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, string(create)); err != nil {
		return fmt.Errorf("create interaction_by_range: %w", err)
	}
	if err := bringInteractions(ctx, db, "interaction", "interaction_by_range"); err != nil {
		return err
	}
	if done, err := interactionPartitioned(ctx, db); err != nil || done {
		return err
	}
	if _, err := db.ExecContext(ctx, "EXCHANGE TABLES interaction AND interaction_by_range"); err != nil {
		return fmt.Errorf("swap interaction: %w", err)
	}
	return nil
}

// bringInteractions copies the versions that the other table lacks, range by range, so that little is held in memory. Histories and
// links see late ones twice, and keep them once, as they do with all that comes twice.
func bringInteractions(ctx context.Context, db *sql.DB, from, to string) error {
	ranges, err := interactionRanges(ctx, db, from)
	if err != nil {
		return err
	}
	for _, r := range ranges {
		within := fmt.Sprintf("interaction_id BETWEEN %d AND %d", r*interactionRange, (r+1)*interactionRange-1)
		known := fmt.Sprintf("SELECT interaction_id, version FROM %s WHERE %s", to, within)
		statement := fmt.Sprintf("INSERT INTO %s SELECT * FROM %s WHERE %s AND (interaction_id, version) NOT IN (%s)", to, from, within, known)
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("copy %s to %s: %w", from, to, err)
		}
	}
	return nil
}

func interactionRanges(ctx context.Context, db *sql.DB, from string) ([]uint64, error) {
	rows, err := db.QueryContext(ctx, fmt.Sprintf("SELECT DISTINCT intDiv(interaction_id, %d) AS r FROM %s ORDER BY r", interactionRange, from))
	if err != nil {
		return nil, fmt.Errorf("look for ranges of %s: %w", from, err)
	}
	defer func() { _ = rows.Close() }()
	var out []uint64
	for rows.Next() {
		var r uint64
		if err := rows.Scan(&r); err != nil {
			return nil, fmt.Errorf("look for ranges of %s: %w", from, err)
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// awaitInserts waits until inserts of interactions that are going on now have ended.
func awaitInserts(ctx context.Context, db *sql.DB) error {
	began := time.Now()
	for {
		var going uint64
		const inserts = "SELECT count() FROM system.processes WHERE query_kind = 'Insert' AND position(query, 'interaction') > 0 AND elapsed > ?"
		if err := db.QueryRowContext(ctx, inserts, time.Since(began).Seconds()).Scan(&going); err != nil {
			return fmt.Errorf("look for inserts of interactions: %w", err)
		}
		if going == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(inFlightPoll):
		}
	}
}
