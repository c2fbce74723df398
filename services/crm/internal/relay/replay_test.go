package relay_test

import (
	"errors"
	"fmt"
	"testing"

	"tandem.bank/pkg/natsx"
	"tandem.bank/pkg/testkit"
)

// awaitWatermark waits until everything written so far is known to be published.
func (b *bank) awaitWatermark(t *testing.T) {
	t.Helper()
	testkit.Eventually(t, testkit.Patience, func() error {
		var passed bool
		err := b.pool.QueryRow(t.Context(), `SELECT coalesce(
			(SELECT published_before FROM outbox_relay WHERE slot_name = $1 AND NOT needs_replay)
			> (SELECT max(xact_id::text::bigint)::text::xid8 FROM outbox), false)`, b.slot).Scan(&passed)
		if err == nil && !passed {
			return errors.New("the watermark is below the newest row")
		}
		return err
	})
}

func TestLostSlotIsReplayed(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	first := b.start(t)
	b.writeMany(t, 1, 300)
	b.awaitEach(t, 1, 300)
	b.awaitWatermark(t)
	first.stop()
	b.dropSlot(t)
	b.writeMany(t, 301, 700) // nobody keeps the log of these

	// An empty stream shows what is sent again: only what the watermark does not cover.
	if err := b.js.DeleteStream(t.Context(), natsx.StreamCRM); err != nil {
		t.Fatal(err)
	}
	b.start(t)
	if got := b.awaitEach(t, 301, 700); got != 700 {
		t.Errorf("%d messages, want 700", got)
	}
	b.write(t, card(1001, 1))
	b.awaitEach(t, 301, 701)
}

func TestSlotLostWithoutWatermarkReplaysAll(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	first := b.start(t)
	b.writeMany(t, 1, 100)
	b.awaitEach(t, 1, 100)
	first.stop()
	b.dropSlot(t)
	b.exec(t, "DELETE FROM outbox_relay")
	// A stream that has lost everything is filled again, too.
	if err := b.js.DeleteStream(t.Context(), natsx.StreamCRM); err != nil {
		t.Fatal(err)
	}
	b.start(t)
	b.awaitEach(t, 1, 100)
}

// A process that dies between making the slot and replaying leaves the duty to the next one.
func TestInterruptedReplayIsDoneByTheNext(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.writeMany(t, 1, 100)
	b.exec(t, `INSERT INTO outbox_relay (slot_name, system_identifier, needs_replay)
		SELECT $1, system_identifier, true FROM pg_control_system()`, b.slot)
	b.exec(t, "SELECT pg_create_logical_replication_slot($1, 'pgoutput')", b.slot)
	b.start(t)
	b.awaitEach(t, 1, 100)
	b.awaitWatermark(t)
}

func TestForeignSlotIsNotTouched(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.exec(t, "SELECT pg_create_logical_replication_slot($1, 'test_decoding')", b.slot)
	p := b.start(t)
	testkit.Eventually(t, testkit.Patience, func() error {
		families, err := p.registry.Gather()
		if err != nil {
			return err
		}
		for _, f := range families {
			if f.GetName() == "tandem_relay_session_failures_total" && f.GetMetric()[0].GetCounter().GetValue() >= 1 {
				return nil
			}
		}
		return errors.New("no failure is counted")
	})
	if p.Status().Active {
		t.Error("the relay took a slot of another plugin")
	}
	var plugin string
	err := b.pool.QueryRow(t.Context(), "SELECT plugin FROM pg_replication_slots WHERE slot_name = $1", b.slot).Scan(&plugin)
	if err != nil || plugin != "test_decoding" {
		t.Errorf("the slot is of %q now (%v)", plugin, err)
	}
}

// The log moves without outbox rows too: the slot must follow, or it would keep all of it.
func TestSlotFollowsForeignTraffic(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.start(t).awaitActive(t)
	b.exec(t, "CREATE TABLE busy AS SELECT generate_series(1, 100000) AS n")
	var target string
	if err := b.pool.QueryRow(t.Context(), "SELECT pg_current_wal_lsn()::text").Scan(&target); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, testkit.Patience, func() error {
		var behind int64
		err := b.pool.QueryRow(t.Context(), `SELECT pg_wal_lsn_diff($2::text::pg_lsn, confirmed_flush_lsn)::bigint
			FROM pg_replication_slots WHERE slot_name = $1`, b.slot, target).Scan(&behind)
		if err == nil && behind > 0 {
			return fmt.Errorf("slot is %d bytes behind", behind)
		}
		return err
	})
}
