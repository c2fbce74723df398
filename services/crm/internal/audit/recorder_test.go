package audit_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"tandem.bank/pkg/testkit"
	"tandem.bank/services/crm/internal/audit"
	"tandem.bank/services/crm/internal/outbox"
)

// A commit that hangs holds up nobody but those who share it, not even a lone reader who comes right behind it.
func TestSlowCommitHoldsUpNobody(t *testing.T) {
	t.Parallel()
	b := newBank(t, 0)
	holder := b.hang(t)
	recorder := audit.NewRecorder(b.pool)
	slow := make(chan error, 1)
	go func() { slow <- read(t.Context(), recorder, "slow") }()
	b.awaitWaiting(t)
	for range 3 {
		if err := read(t.Context(), recorder, "quick"); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case err := <-slow:
		t.Fatalf("the slow one was not held: %v", err)
	default:
	}
	if err := holder.Rollback(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	if err := <-slow; err != nil {
		t.Fatal(err)
	}
}

// Who hangs up while their own entry is being written is let go, and others still have theirs written.
func TestHangingUpEndsTheWriting(t *testing.T) {
	t.Parallel()
	b := newBank(t, 0)
	b.hang(t)
	recorder := audit.NewRecorder(b.pool)
	ctx, hangUp := context.WithCancel(t.Context())
	slow := make(chan error, 1)
	go func() { slow <- read(ctx, recorder, "slow") }()
	b.awaitWaiting(t)
	hangUp()
	if err := <-slow; !errors.Is(err, context.Canceled) { // the lock is still held
		t.Errorf("who hung up got %v", err)
	}
	if err := read(t.Context(), recorder, "quick"); err != nil {
		t.Error(err)
	}
}

func read(ctx context.Context, recorder *audit.Recorder, request string) error {
	ctx = outbox.WithActor(audit.WithCaller(ctx, audit.Caller{Peer: "p", Method: "/m", RequestID: request}), "eva")
	return recorder.Record(ctx, audit.Entry{Action: audit.Read, Entity: "customer", EntityID: 1, CustomerID: 1})
}

// hang makes entries of the request "slow" wait until the transaction ends.
func (b *bank) hang(t *testing.T) pgx.Tx {
	t.Helper()
	for _, sql := range []string{
		`CREATE FUNCTION hang() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NEW; END'`,
		`CREATE TRIGGER hang BEFORE INSERT ON audit_entry FOR EACH ROW WHEN (NEW.request_id = 'slow') EXECUTE FUNCTION hang()`,
	} {
		if _, err := b.pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	holder, err := b.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = holder.Rollback(context.WithoutCancel(t.Context())) }) // when the test has not done so
	if _, err := holder.Exec(t.Context(), "SELECT pg_advisory_xact_lock(1)"); err != nil {
		t.Fatal(err)
	}
	return holder
}

// awaitWaiting returns when a session waits for an advisory lock.
func (b *bank) awaitWaiting(t *testing.T) {
	t.Helper()
	testkit.Eventually(t, testkit.Patience, func() error {
		var waiting bool
		err := b.pool.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM pg_locks JOIN pg_database d ON d.oid = database
WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted)`).Scan(&waiting)
		if err == nil && !waiting {
			err = errors.New("nobody waits yet")
		}
		return err
	})
}

// Readers who come at once share commits, and each has one entry when it is answered.
func TestManyReadersHaveOneEntryEach(t *testing.T) {
	t.Parallel()
	const readers, readsEach = 32, 20
	b := newBank(t, 0)
	recorder := audit.NewRecorder(b.pool)
	group, ctx := errgroup.WithContext(t.Context())
	for reader := range readers {
		group.Go(func() error {
			for n := range readsEach {
				request := fmt.Sprintf("%d-%d", reader, n)
				if err := read(ctx, recorder, request); err != nil {
					return err
				}
				var entries int
				err := b.pool.QueryRow(ctx, "SELECT count(*) FROM audit_entry WHERE request_id = $1", request).Scan(&entries)
				if err != nil {
					return err
				}
				if entries != 1 {
					return fmt.Errorf("%s has %d entries", request, entries)
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
}
