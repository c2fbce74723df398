package changestream_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/natsx"
	"tandem.bank/pkg/testkit"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/changestream"
	"tandem.bank/services/crm/internal/outbox"
	"tandem.bank/services/crm/internal/relay"
	"tandem.bank/services/crm/migrations"
)

type bank struct {
	pool *pgxpool.Pool
	js   jetstream.JetStream
	slot string
}

func newBank(t *testing.T) *bank {
	t.Helper()
	pool := testkit.Postgres(t, testkit.Template{Name: "crm", Migrate: migrations.Migrate})
	nc, js, err := natsx.Connect(t.Context(), natsx.Config{URL: testkit.NATS(t), Name: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return &bank{pool: pool, js: js, slot: pool.Config().ConnConfig.Database + "_slot"}
}

// process makes a relay and the server beside it. The relay runs only when asked.
func (b *bank) process(t *testing.T, run bool) *changestream.Server {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	r, err := relay.New(relay.Config{Pool: b.pool, JetStream: b.js, Logger: log, Registerer: prometheus.NewRegistry(), SlotName: b.slot})
	if err != nil {
		t.Fatal(err)
	}
	server, err := changestream.NewServer(changestream.Config{
		Pool: b.pool, JetStream: b.js, Relay: r, SlotName: b.slot, Logger: log, Grace: 200 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	if run {
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- r.Run(ctx) }()
		t.Cleanup(func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("Run: %v", err)
			}
		})
		testkit.Eventually(t, testkit.Patience, func() error {
			if !r.Status().Active {
				return errors.New("relay is not active")
			}
			return nil
		})
	}
	return server
}

func (b *bank) write(t *testing.T, n int) {
	t.Helper()
	changes := make([]*eventsv1.Change, n)
	for i := range changes {
		changes[i] = &eventsv1.Change{EntityId: int64(i + 1), Version: 1, Payload: &eventsv1.Change_Manager{Manager: &eventsv1.ManagerState{}}}
	}
	if err := pgx.BeginFunc(t.Context(), b.pool, func(tx pgx.Tx) error { return outbox.Append(t.Context(), tx, changes) }); err != nil {
		t.Fatal(err)
	}
}

func await(t *testing.T, s *changestream.Server) (uint64, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testkit.Patience)
	defer cancel()
	response, err := s.AwaitPublished(ctx, &crmv1.AwaitPublishedRequest{})
	return response.GetStreamSequence(), err
}

func TestAwaitPublished(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	holder := b.process(t, true)
	other := b.process(t, false) // its relay does not hold the slot
	for i, server := range []*changestream.Server{holder, other, holder, other} {
		b.write(t, 500)
		want := uint64(500 * (i + 1))
		if got, err := await(t, server); err != nil || got != want {
			t.Fatalf("round %d: sequence %d, %v; want %d", i, got, err, want)
		}
	}
}

func TestAwaitPublishedWithoutTraffic(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	server := b.process(t, true)
	for range 5 {
		if got, err := await(t, server); err != nil || got != 0 {
			t.Fatalf("sequence %d, %v", got, err)
		}
		// Log that holds no event moves the target.
		if _, err := b.pool.Exec(t.Context(), "CREATE TABLE IF NOT EXISTS noise AS SELECT 1"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAwaitPublishedWithoutRelay(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.write(t, 1)
	_, err := await(t, b.process(t, false))
	var public *apperr.Error
	if !errors.As(err, &public) || public.Code != codes.Unavailable {
		t.Errorf("error %v, want UNAVAILABLE", err)
	}
}

// A slot that was just made stands ahead of rows that are still to be replayed.
func TestAwaitPublishedWaitsForTheReplay(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.write(t, 1)
	for _, sql := range []string{
		"INSERT INTO outbox_relay (slot_name, system_identifier) VALUES ($1, 1)",
		"SELECT pg_create_logical_replication_slot($1, 'pgoutput')",
	} {
		if _, err := b.pool.Exec(t.Context(), sql, b.slot); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := await(t, b.process(t, false)); err == nil {
		t.Errorf("sequence %d although the replay is due", got)
	}
	if got, err := await(t, b.process(t, true)); err != nil || got != 1 {
		t.Errorf("after the replay: sequence %d, %v", got, err)
	}
}

func TestAwaitPublishedKeepsTheDeadline(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	server := b.process(t, true)
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	if _, err := server.AwaitPublished(ctx, &crmv1.AwaitPublishedRequest{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want the deadline's", err)
	}
}

func TestGetRelayStatus(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	idle := b.process(t, false)
	before, err := idle.GetRelayStatus(t.Context(), &crmv1.GetRelayStatusRequest{})
	if err != nil || before.GetActive() || before.GetLagBytes() != 0 || before.GetPublishedCommitTime() != nil {
		t.Errorf("status without a slot: %v, %v", before, err)
	}
	server := b.process(t, true)
	b.write(t, 10)
	if _, err := await(t, server); err != nil {
		t.Fatal(err)
	}
	got, err := server.GetRelayStatus(t.Context(), &crmv1.GetRelayStatusRequest{})
	if err != nil || !got.GetActive() || got.GetPublishedEvents() < 10 || time.Since(got.GetPublishedCommitTime().AsTime()) > time.Minute {
		t.Errorf("status of the holder: %v, %v", got, err)
	}
}
