package relay

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// slotLock lets one process at a time make the slot ("slot" in ASCII).
const slotLock = 0x736c6f74

// slotState is what Postgres says of the slot.
type slotState struct {
	exists, active, lost, foreign bool
}

// querier is a pool or a transaction.
type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

func (r *Relay) slotState(ctx context.Context, q querier) (slotState, error) {
	s := slotState{exists: true}
	err := q.QueryRow(ctx, `
		SELECT active, wal_status IS NOT DISTINCT FROM 'lost' OR invalidation_reason IS NOT NULL,
		       plugin IS DISTINCT FROM 'pgoutput' OR database IS DISTINCT FROM current_database()
		FROM pg_replication_slots WHERE slot_name = $1`, r.config.SlotName).Scan(&s.active, &s.lost, &s.foreign)
	if errors.Is(err, pgx.ErrNoRows) {
		return slotState{}, nil
	}
	if err != nil {
		return slotState{}, fmt.Errorf("look at the slot: %w", err)
	}
	return s, nil
}

// ensureSlot makes the slot when it is missing or lost. That a replay is due is stored before: a process that takes the
// slot later, after a crash of this one, must know.
func (r *Relay) ensureSlot(ctx context.Context) error {
	return pgx.BeginFunc(ctx, r.config.Pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", slotLock); err != nil {
			return fmt.Errorf("lock the making of the slot: %w", err)
		}
		state, err := r.slotState(ctx, tx)
		switch {
		case err != nil:
			return err
		case state.foreign:
			return fmt.Errorf("slot %s belongs to another database or plugin: choose another slot name", r.config.SlotName)
		case state.exists && !state.lost:
			return r.ensureState(ctx)
		}
		return r.makeSlot(ctx, tx, state)
	})
}

func (r *Relay) makeSlot(ctx context.Context, tx pgx.Tx, state slotState) error {
	// On a connection of its own: this must be committed before, and a transaction that has written can't make a slot.
	if err := r.demandReplay(ctx); err != nil {
		return err
	}
	if state.lost {
		r.log.Error("the slot was lost: more log had piled up behind it than max_slot_wal_keep_size; it is made anew")
		if _, err := tx.Exec(ctx, "SELECT pg_drop_replication_slot($1)", r.config.SlotName); err != nil {
			return fmt.Errorf("drop the lost slot: %w", err)
		}
	}
	// Waits for the transactions that are open now.
	// With failover a standby that synchronises slots keeps it too, and the relay goes on there where it stopped.
	const create = "SELECT pg_create_logical_replication_slot($1, 'pgoutput', failover => true)"
	if _, err := tx.Exec(ctx, create, r.config.SlotName); err != nil {
		return fmt.Errorf("make the slot: %w", err)
	}
	r.log.Info("slot made")
	return nil
}

// awaitFree waits until nobody holds the slot. It looks, instead of trying to start: each try would be an error in the
// server's log.
func (r *Relay) awaitFree(ctx context.Context) error {
	announced := false
	for {
		state, err := r.slotState(ctx, r.config.Pool)
		switch {
		case err != nil:
			return err
		case !state.exists || state.lost:
			return errors.New("the slot disappeared while it was waited for")
		case !state.active:
			return nil
		}
		if !announced {
			r.log.Info("another process holds the slot; waiting to take over")
			announced = true
		}
		wait(ctx, r.config.TakeoverInterval)
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// ensureState stores a first state for the slot. One that was made by other hands leaves unknown what is published.
func (r *Relay) ensureState(ctx context.Context) error {
	_, err := r.config.Pool.Exec(ctx, `
		INSERT INTO outbox_relay (slot_name, system_identifier, needs_replay)
		SELECT $1, system_identifier, true FROM pg_control_system()
		ON CONFLICT (slot_name) DO NOTHING`, r.config.SlotName)
	if err != nil {
		return fmt.Errorf("store the slot's state: %w", err)
	}
	return nil
}

// demandReplay stores that the next holder of the slot must replay the outbox. In another cluster than before (a
// restored dump) transaction numbers mean nothing, so that everything is to be replayed.
func (r *Relay) demandReplay(ctx context.Context) error {
	_, err := r.config.Pool.Exec(ctx, `
		INSERT INTO outbox_relay AS r (slot_name, system_identifier, needs_replay)
		SELECT $1, system_identifier, true FROM pg_control_system()
		ON CONFLICT (slot_name) DO UPDATE SET
			needs_replay = true,
			published_before = CASE WHEN r.system_identifier = excluded.system_identifier THEN r.published_before END,
			system_identifier = excluded.system_identifier,
			updated_at = now()`, r.config.SlotName)
	if err != nil {
		return fmt.Errorf("demand a replay: %w", err)
	}
	return nil
}
