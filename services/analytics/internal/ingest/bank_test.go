package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/natsx"
	"tandem.bank/pkg/testkit"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/ingest"
	"tandem.bank/services/analytics/internal/warehousetest"
)

// patience is how long a test waits for what takes milliseconds. It is below ackWait: what comes only because NATS
// gave up waiting for an acknowledgement is late.
const patience = 50 * time.Second

// bank is one warehouse and one stream.
type bank struct {
	url    string
	conn   driver.Conn
	js     jetstream.JetStream
	server *ingest.Server
	stop   func()
}

func newBank(t testing.TB) *bank {
	t.Helper()
	b := &bank{url: warehousetest.Migrated(t)}
	b.conn = warehousetest.Connect(t, b.url)
	nc, js, err := natsx.Connect(t.Context(), natsx.Config{URL: testkit.NATS(t), Name: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	if err := natsx.EnsureStreams(t.Context(), js); err != nil {
		t.Fatal(err)
	}
	b.js = js
	return b
}

// start runs ingestion over a connection until the test's end or stop.
func (b *bank) start(t testing.TB, conn driver.Conn) {
	t.Helper()
	in, err := ingest.New(ingest.Config{
		Warehouse: conn, JetStream: b.js, Logger: slog.New(slog.NewTextHandler(testWriter{t}, nil)), Registry: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	b.server = ingest.NewServer(in)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- in.Run(ctx) }()
	b.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(b.stop)
}

// testWriter sends the log to the test.
type testWriter struct{ t testing.TB }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Logf("%s", strings.TrimSpace(string(p)))
	return len(p), nil
}

// publish puts a message on the stream and returns its sequence.
func (b *bank) publish(t testing.TB, subject string, data []byte) uint64 {
	t.Helper()
	ack, err := b.js.Publish(t.Context(), subject, data, jetstream.WithMsgID(uuid.NewString()))
	if err != nil {
		t.Fatal(err)
	}
	return ack.Sequence
}

func (b *bank) change(t testing.TB, c *eventsv1.Change) uint64 {
	t.Helper()
	data, err := proto.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return b.publish(t, natsx.ChangeSubject(c.GetEntity(), c.GetDeleted()), data)
}

// await waits until a sequence is in, and fails when that takes too long.
func (b *bank) await(t testing.TB, sequence uint64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, err := b.server.AwaitIngested(ctx, &analyticsv1.AwaitIngestedRequest{StreamSequence: sequence}); err != nil {
		t.Fatalf("await %d: %v", sequence, err)
	}
}

func (b *bank) letters(t testing.TB) []*analyticsv1.StoredDeadLetter {
	t.Helper()
	answer, err := b.server.ListDeadLetters(t.Context(), &analyticsv1.ListDeadLettersRequest{PageSize: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return answer.GetDeadLetters()
}

// query returns rows as text, columns separated by blanks.
func (b *bank) query(t testing.TB, sql string) []string {
	t.Helper()
	rows, err := b.conn.Query(t.Context(), sql)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	out := []string{}
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		out = append(out, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func (b *bank) count(t testing.TB, table string) string {
	t.Helper()
	return b.query(t, "SELECT toString(count()) FROM "+table+" FINAL")[0]
}

var changeTime = time.Date(2026, 3, 1, 10, 0, 0, 123456000, time.UTC)

func change(entity string, id, version int64, set func(*eventsv1.Change)) *eventsv1.Change {
	c := &eventsv1.Change{
		EventId: uuid.NewString(), Entity: entity, EntityId: id, Version: version, ChangeTime: timestamppb.New(changeTime.Add(time.Duration(version) * time.Second)),
	}
	set(c)
	return c
}

func customer(id, version int64, occupation string) *eventsv1.Change {
	return change("customer", id, version, func(c *eventsv1.Change) {
		c.Payload = &eventsv1.Change_Customer{Customer: &eventsv1.CustomerState{Kind: "individual", State: "active", Occupation: occupation}}
	})
}

func bundle(transactions ...*eventsv1.TransactionState) *eventsv1.Change {
	return change("transaction_bundle", transactions[0].GetTransactionId(), 1, func(c *eventsv1.Change) {
		c.Payload = &eventsv1.Change_TransactionBundle{TransactionBundle: &eventsv1.TransactionBundle{Transactions: transactions, BaseCurrency: "CZK"}}
	})
}

func transaction(id, version, account int64, day, value string) *eventsv1.TransactionState {
	return &eventsv1.TransactionState{
		TransactionId: id, Version: version, AccountId: account, BusinessDate: day, Direction: "credit", Kind: "cash_deposit",
		Amount: &eventsv1.Amount{Currency: "CZK", Value: value}, BaseValue: value, RateDate: day, State: "posted",
	}
}

// proxy stands between ingestion and ClickHouse, so that a test can cut the line.
type proxy struct {
	listener net.Listener
	target   string
	mu       sync.Mutex
	cut      bool
	open     map[net.Conn]struct{}
}

func newProxy(t testing.TB, target string) *proxy {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: listener, target: target, open: map[net.Conn]struct{}{}}
	t.Cleanup(func() { _ = listener.Close(); p.set(true) })
	go p.serve(t.Context())
	return p
}

func (p *proxy) serve(ctx context.Context) {
	for {
		in, err := p.listener.Accept()
		if err != nil {
			return
		}
		out, err := (&net.Dialer{}).DialContext(ctx, "tcp", p.target)
		if err != nil || !p.hold(in, out) {
			_ = in.Close()
			continue
		}
		go pipe(in, out)
		go pipe(out, in)
	}
}

func (p *proxy) hold(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		if p.cut {
			_ = c.Close()
			continue
		}
		p.open[c] = struct{}{}
	}
	return !p.cut
}

// set cuts the line, or mends it.
func (p *proxy) set(cut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = cut
	if cut {
		for c := range p.open {
			_ = c.Close()
		}
		clear(p.open)
	}
}

func pipe(from, to net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				break
			}
		}
		if err != nil {
			break
		}
	}
	_, _ = from.Close(), to.Close()
}

// through returns the warehouse's address by way of the proxy.
func through(t testing.TB, url string) (*proxy, string) {
	t.Helper()
	options, err := clickhouse.ParseDSN(url)
	if err != nil {
		t.Fatal(err)
	}
	p := newProxy(t, options.Addr[0])
	return p, strings.Replace(url, options.Addr[0], p.listener.Addr().String(), 1)
}

// equal compares the rows of a query with those wanted.
func equal(got []string, want ...string) error {
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		return fmt.Errorf("rows:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	return nil
}

var errStill = errors.New("not yet")
