package relay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem.bank/services/crm/internal/relay/pgoutput"
)

// replayPoll is how often open transactions are looked at before a replay.
const replayPoll = 100 * time.Millisecond

// replayIfNeeded publishes the rows that a new slot does not see. The slot is held and not yet read: what is committed
// meanwhile waits in it.
func (r *Relay) replayIfNeeded(ctx context.Context, out *publisher) error {
	var needed bool
	err := r.config.Pool.QueryRow(ctx, "SELECT needs_replay FROM outbox_relay WHERE slot_name = $1", r.config.SlotName).Scan(&needed)
	if errors.Is(err, pgx.ErrNoRows) {
		return errors.New("the slot's state is missing")
	}
	if err != nil {
		return fmt.Errorf("read the slot's state: %w", err)
	}
	if !needed {
		return nil
	}
	// 1. Each transaction that the slot skips has its commit in the log before the slot's start, but may not be visible
	// yet, for instance while it waits for a standby. When all that are open now have ended, every such one is visible.
	horizon, err := r.awaitOpenTransactions(ctx)
	if err != nil {
		return err
	}
	// 2. Publish, and wait for the acknowledgements.
	count, err := r.replay(ctx, out)
	if err != nil {
		return err
	}
	if err := out.flush(ctx); err != nil {
		return err
	}
	// 3. Store that it is done.
	_, err = r.config.Pool.Exec(ctx, `
		UPDATE outbox_relay SET needs_replay = false, published_before = $2::text::xid8, updated_at = now()
		WHERE slot_name = $1`, r.config.SlotName, horizon)
	if err != nil {
		return fmt.Errorf("store the replay: %w", err)
	}
	r.log.Info("outbox replayed", "events", count)
	return nil
}

// awaitOpenTransactions waits until every transaction that is open now has ended, and returns the number below which
// all have.
func (r *Relay) awaitOpenTransactions(ctx context.Context) (string, error) {
	var horizon string
	err := r.config.Pool.QueryRow(ctx, "SELECT pg_snapshot_xmax(pg_current_snapshot())::text").Scan(&horizon)
	if err != nil {
		return "", fmt.Errorf("read open transactions: %w", err)
	}
	for announced := false; ; announced = true {
		var ended bool
		err := r.config.Pool.QueryRow(ctx, "SELECT pg_snapshot_xmin(pg_current_snapshot()) >= $1::text::xid8", horizon).Scan(&ended)
		if err != nil {
			return "", fmt.Errorf("read open transactions: %w", err)
		}
		if ended {
			return horizon, nil
		}
		if !announced {
			r.log.Info("replay waits for the transactions that are open")
		}
		wait(ctx, replayPoll)
		if err := ctx.Err(); err != nil {
			return "", err
		}
	}
}

// replay publishes what may be unpublished, roughly in the order of writing; versions settle the rest. One statement
// reads it in one snapshot, a row at a time as the publisher takes them.
func (r *Relay) replay(ctx context.Context, out *publisher) (int, error) {
	rows, err := r.config.Pool.Query(ctx, `
		SELECT event_id::text, entity, deleted, payload, created_at FROM outbox
		WHERE xact_id >= coalesce((SELECT published_before FROM outbox_relay WHERE slot_name = $1), '0')
		ORDER BY created_at, outbox_id`, r.config.SlotName)
	if err != nil {
		return 0, fmt.Errorf("read the outbox: %w", err)
	}
	count := 0
	var e event
	var createdAt time.Time
	_, err = pgx.ForEachRow(rows, []any{&e.id, &e.entity, &e.deleted, &e.payload, &createdAt}, func() error {
		count++
		return out.publish(ctx, e, createdAt)
	})
	if err != nil {
		return count, fmt.Errorf("replay the outbox: %w", err)
	}
	return count, nil
}

// watermark is a pair taken at one moment: every transaction below xmin has its end in the log before lsn.
type watermark struct {
	xmin string
	lsn  pgoutput.LSN
	// published is how many events were published then; quiet says that no transaction was open.
	published int64
	quiet     bool
}

// storeWatermarks stores, now and then, below which transaction everything is published: what may be dropped, and what
// need not be replayed.
func (r *Relay) storeWatermarks(ctx context.Context, at *position) error {
	var taken *watermark
	stored := int64(-1)
	for {
		wait(ctx, r.config.WatermarkInterval)
		if err := ctx.Err(); err != nil {
			return err
		}
		switch {
		case taken != nil && at.load() >= taken.lsn:
			if err := r.storeWatermark(ctx, taken); err != nil {
				return err
			}
			// With a transaction open, rows above xmin may have been published already: look again.
			if taken.quiet {
				stored = taken.published
			}
			taken = nil
		case taken == nil && r.published.Load() != stored:
			// An idle relay stores nothing: the storing itself would make log, and the log another watermark.
			var err error
			if taken, err = r.takeWatermark(ctx); err != nil {
				return err
			}
		}
	}
}

func (r *Relay) takeWatermark(ctx context.Context) (*watermark, error) {
	w := &watermark{published: r.published.Load()}
	var lsn string
	// The snapshot of a statement is taken before its functions run: that is the order needed.
	err := r.config.Pool.QueryRow(ctx, `
		SELECT pg_snapshot_xmin(s)::text, pg_snapshot_xmin(s) = pg_snapshot_xmax(s), pg_current_wal_insert_lsn()::text
		FROM pg_current_snapshot() s`).Scan(&w.xmin, &w.quiet, &lsn)
	if err != nil {
		return nil, fmt.Errorf("take a watermark: %w", err)
	}
	if w.lsn, err = pgoutput.ParseLSN(lsn); err != nil {
		return nil, err
	}
	return w, nil
}

func (r *Relay) storeWatermark(ctx context.Context, w *watermark) error {
	_, err := r.config.Pool.Exec(ctx, `
		UPDATE outbox_relay SET published_before = greatest(published_before, $2::text::xid8),
			system_identifier = c.system_identifier, updated_at = now()
		FROM pg_control_system() c WHERE slot_name = $1`, r.config.SlotName, w.xmin)
	if err != nil {
		return fmt.Errorf("store a watermark: %w", err)
	}
	return nil
}
