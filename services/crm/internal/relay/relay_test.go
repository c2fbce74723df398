package relay_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/natsx"
	"tandem.bank/pkg/testkit"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/outbox"
	"tandem.bank/services/crm/internal/relay"
	"tandem.bank/services/crm/migrations"
)

// bank is one test's database and event stream.
type bank struct {
	pool *pgxpool.Pool
	js   jetstream.JetStream
	slot string
}

func newBank(t testing.TB) *bank { return newBankOn(t, testkit.NATS(t)) }

func newBankOn(t testing.TB, natsURL string) *bank {
	t.Helper()
	pool := testkit.Postgres(t, testkit.Template{Name: "crm", Migrate: migrations.Migrate})
	nc, js, err := natsx.Connect(t.Context(), natsx.Config{URL: natsURL, Name: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return &bank{pool: pool, js: js, slot: pool.Config().ConnConfig.Database + "_slot"}
}

// process is one running relay.
type process struct {
	*relay.Relay
	bank     *bank
	stop     func()
	registry *prometheus.Registry
}

// start runs a relay until stop or the end of the test.
func (b *bank) start(t testing.TB) *process {
	t.Helper()
	registry := prometheus.NewRegistry()
	r, err := relay.New(relay.Config{
		Pool: b.pool, JetStream: b.js, Logger: slog.New(slog.NewTextHandler(logWriter{t}, nil)), Registerer: registry,
		SlotName: b.slot, TakeoverInterval: 20 * time.Millisecond, WatermarkInterval: 20 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	stopped := false
	stop := func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	}
	t.Cleanup(stop)
	return &process{Relay: r, bank: b, stop: stop, registry: registry}
}

// awaitActive waits until the relay follows the log: holding the slot, with the replay of a new slot behind it.
func (p *process) awaitActive(t testing.TB) {
	t.Helper()
	testkit.Eventually(t, testkit.Patience, func() error {
		if !p.Status().Active {
			return errors.New("relay is not active")
		}
		var replaying bool
		err := p.bank.pool.QueryRow(t.Context(), "SELECT needs_replay FROM outbox_relay WHERE slot_name = $1", p.bank.slot).Scan(&replaying)
		if err == nil && replaying {
			return errors.New("relay replays")
		}
		return err
	})
}

type logWriter struct{ t testing.TB }

func (w logWriter) Write(line []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(line)))
	return len(line), nil
}

func card(id, version int64) *eventsv1.Change {
	return &eventsv1.Change{
		EntityId: id, Version: version,
		Payload: &eventsv1.Change_Card{Card: &eventsv1.CardState{CustomerId: id, State: "active"}},
	}
}

func cards(from, n int) []*eventsv1.Change {
	out := make([]*eventsv1.Change, n)
	for i := range out {
		out[i] = card(int64(from+i), 1)
	}
	return out
}

// write commits changes in one transaction.
func (b *bank) write(t testing.TB, changes ...*eventsv1.Change) {
	t.Helper()
	err := pgx.BeginFunc(t.Context(), b.pool, func(tx pgx.Tx) error { return outbox.Append(t.Context(), tx, changes) })
	if err != nil {
		t.Fatal(err)
	}
}

// writeMany commits n changes in transactions of 100.
func (b *bank) writeMany(t testing.TB, from, n int) {
	t.Helper()
	for done := 0; done < n; done += 100 {
		b.write(t, cards(from+done, min(100, n-done))...)
	}
}

// received is one message of the stream.
type received struct {
	subject, id string
	change      *eventsv1.Change
}

// read returns the first n messages of the stream, waiting for them.
func (b *bank) read(t testing.TB, n int) []received {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testkit.Patience)
	defer cancel()
	if err := natsx.AwaitConnected(ctx, b.js.Conn()); err != nil {
		t.Fatal(err)
	}
	if err := natsx.EnsureStreams(ctx, b.js); err != nil {
		t.Fatal(err)
	}
	consumer, err := b.js.OrderedConsumer(ctx, natsx.StreamCRM, jetstream.OrderedConsumerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	messages, err := consumer.Messages()
	if err != nil {
		t.Fatal(err)
	}
	defer messages.Stop()
	out := make([]received, 0, n)
	for len(out) < n {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			t.Fatalf("read message %d of %d: %v", len(out)+1, n, err)
		}
		change := &eventsv1.Change{}
		if err := proto.Unmarshal(m.Data(), change); err != nil {
			t.Fatal(err)
		}
		out = append(out, received{m.Subject(), m.Headers().Get(jetstream.MsgIDHeader), change})
	}
	return out
}

// awaitEach waits until every card from..from+n-1 is in the stream, and returns how many messages there are.
func (b *bank) awaitEach(t testing.TB, from, n int) uint64 {
	t.Helper()
	var messages uint64
	testkit.Eventually(t, testkit.Patience, func() error {
		stream, err := b.js.Stream(t.Context(), natsx.StreamCRM)
		if err != nil {
			return err
		}
		messages = stream.CachedInfo().State.Msgs
		if messages < uint64(n) {
			return fmt.Errorf("%d messages of %d", messages, n)
		}
		return nil
	})
	seen := map[int64]bool{}
	for _, m := range b.read(t, int(messages)) {
		seen[m.change.GetEntityId()] = true
	}
	for id := from; id < from+n; id++ {
		if !seen[int64(id)] {
			t.Fatalf("card %d was lost; %d of %d are there", id, len(seen), n)
		}
	}
	return messages
}

func (b *bank) exec(t testing.TB, sql string, args ...any) {
	t.Helper()
	if _, err := b.pool.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

// dropSlot waits until the slot is free, for its holder's end takes Postgres a moment.
func (b *bank) dropSlot(t testing.TB) {
	t.Helper()
	testkit.Eventually(t, testkit.Patience, func() error {
		_, err := b.pool.Exec(t.Context(), "SELECT pg_drop_replication_slot($1)", b.slot)
		return err
	})
}

// natsServer is a server that can be stopped and started again at the same address with the same store.
type natsServer struct {
	*server.Server
	options server.Options
}

func startNATS(t testing.TB) *natsServer {
	t.Helper()
	n := &natsServer{options: server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true,
	}}
	n.start(t)
	address, err := url.Parse(n.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscan(address.Port(), &n.options.Port); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.stop)
	return n
}

func (n *natsServer) start(t testing.TB) {
	t.Helper()
	options := n.options
	s, err := server.NewServer(&options)
	if err != nil {
		t.Fatal(err)
	}
	n.Server = s
	s.Start()
	if !s.ReadyForConnections(testkit.Patience) {
		t.Fatal("NATS did not start")
	}
}

func (n *natsServer) stop() {
	n.Shutdown()
	n.WaitForShutdown()
}
