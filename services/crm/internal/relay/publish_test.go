package relay_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"tandem.bank/pkg/testkit"
	"tandem.bank/services/crm/internal/outbox"
)

func TestPublishesInTheOrderOfCommits(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.start(t).awaitActive(t)

	// The first transaction to write is the last to commit.
	late, err := b.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	deleted := card(1, 2)
	deleted.Deleted = true
	if err := outbox.Append(t.Context(), late, append(cards(1, 1), deleted)); err != nil {
		t.Fatal(err)
	}
	b.write(t, cards(10, 3)...)
	if err := late.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.write(t, card(20, 1))

	var got []string
	for _, m := range b.read(t, 6) {
		got = append(got, fmt.Sprintf("%s %d.%d", m.subject, m.change.GetEntityId(), m.change.GetVersion()))
		if m.id == "" || m.id != m.change.GetEventId() {
			t.Errorf("message id %q, event id %q", m.id, m.change.GetEventId())
		}
	}
	want := []string{
		"crm.v1.card.upserted 10.1", "crm.v1.card.upserted 11.1", "crm.v1.card.upserted 12.1",
		"crm.v1.card.upserted 1.1", "crm.v1.card.deleted 1.2", "crm.v1.card.upserted 20.1",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("published\n%v, want\n%v", got, want)
	}
}

func TestRolledBackChangesAreNotPublished(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.start(t).awaitActive(t)
	stop := errors.New("stop")
	err := pgx.BeginFunc(t.Context(), b.pool, func(tx pgx.Tx) error {
		if err := outbox.Append(t.Context(), tx, cards(1, 3)); err != nil {
			return err
		}
		return stop
	})
	if !errors.Is(err, stop) {
		t.Fatal(err)
	}
	b.write(t, card(9, 1))
	if got := b.read(t, 1)[0].change.GetEntityId(); got != 9 {
		t.Errorf("card %d was published, want 9", got)
	}
}

func TestPublishesWhatWasWrittenBeforeTheFirstStart(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.writeMany(t, 1, 500)
	b.start(t)
	if n := b.awaitEach(t, 1, 500); n != 500 {
		t.Errorf("%d messages, want 500", n)
	}
}

// A transaction that is open while the slot is made commits before the slot's start or after it: it must not fall in between.
func TestTransactionsOpenWhileTheSlotIsMade(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	open, err := b.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := outbox.Append(t.Context(), open, cards(1, 1)); err != nil {
		t.Fatal(err)
	}
	b.start(t)
	testkit.Eventually(t, testkit.Patience, func() error {
		var making bool
		err := b.pool.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM pg_stat_activity
			WHERE query LIKE '%pg_create_logical_replication_slot%' AND wait_event_type = 'Lock' AND datname = current_database())`).Scan(&making)
		if err == nil && !making {
			return errors.New("nobody makes the slot")
		}
		return err
	})
	b.write(t, card(2, 1))
	if err := open.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.write(t, card(3, 1))
	b.awaitEach(t, 1, 3)
}

func TestRestartInTheMiddle(t *testing.T) {
	t.Parallel()
	const n = 20_000
	b := newBank(t)
	first := b.start(t)
	first.awaitActive(t)
	written := make(chan struct{})
	go func() {
		defer close(written)
		b.writeMany(t, 1, n)
	}()
	testkit.Eventually(t, testkit.Patience, func() error {
		if got := first.Status().PublishedEvents; got < n/10 {
			return fmt.Errorf("published %d", got)
		}
		return nil
	})
	first.stop()
	if first.Status().Active {
		t.Error("a stopped relay calls itself active")
	}
	b.start(t)
	<-written
	// Message ids make the server drop what comes twice.
	if got := b.awaitEach(t, 1, n); got != n {
		t.Errorf("%d messages, want %d", got, n)
	}
}

func TestBrokenPostgresConnection(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	p := b.start(t)
	p.awaitActive(t)
	b.writeMany(t, 1, 100)
	b.exec(t, "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1", b.slot)
	b.writeMany(t, 101, 100)
	b.awaitEach(t, 1, 200)
	if n, err := testutil.GatherAndCount(p.registry); err != nil || n != 5 {
		t.Errorf("%d metrics (%v), want 5", n, err)
	}
}

func TestNATSStopsInTheMiddle(t *testing.T) {
	t.Parallel()
	const n = 20_000
	nats := startNATS(t)
	b := newBankOn(t, nats.ClientURL())
	p := b.start(t)
	p.awaitActive(t)
	written := make(chan struct{})
	go func() {
		defer close(written)
		b.writeMany(t, 1, n)
	}()
	testkit.Eventually(t, testkit.Patience, func() error {
		if got := p.Status().PublishedEvents; got < n/10 {
			return fmt.Errorf("published %d", got)
		}
		return nil
	})
	nats.stop()
	<-written // writers do not notice
	b.write(t, card(n+1, 1))
	nats.start(t)
	if got := b.awaitEach(t, 1, n+1); got != n+1 {
		t.Errorf("%d messages, want %d", got, n+1)
	}
}

func TestNATSIsAwayAtTheStart(t *testing.T) {
	t.Parallel()
	nats := startNATS(t)
	nats.stop()
	b := newBankOn(t, nats.ClientURL())
	p := b.start(t)
	b.writeMany(t, 1, 10)
	if p.Status().Active {
		t.Error("the relay holds the slot without NATS")
	}
	nats.start(t)
	b.awaitEach(t, 1, 10)
}

func TestTakeover(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	first := b.start(t)
	first.awaitActive(t)
	second := b.start(t)
	b.writeMany(t, 1, 100)
	b.awaitEach(t, 1, 100)
	if second.Status().Active || second.Status().PublishedEvents != 0 {
		t.Error("two relays publish at once")
	}
	first.stop()
	second.awaitActive(t)
	b.writeMany(t, 101, 100)
	if got := b.awaitEach(t, 1, 200); got != 200 {
		t.Errorf("%d messages, want 200", got)
	}
	if got := second.Status(); got.PublishedEvents < 100 || time.Since(got.PublishedCommitTime) > time.Minute {
		t.Errorf("status after the takeover: %+v", got)
	}
}
