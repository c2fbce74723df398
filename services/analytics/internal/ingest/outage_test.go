package ingest_test

import (
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"tandem.bank/pkg/natsx"
	"tandem.bank/pkg/testkit"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	"tandem.bank/services/analytics/internal/warehousetest"
)

// ClickHouse goes away while changes flow, and comes back.
func TestWarehouseOutage(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	line, url := through(t, b.url)
	b.start(t, warehousetest.Connect(t, url))
	b.await(t, b.change(t, customer(1, 1, "clerk")))
	line.set(true)
	var last uint64
	for id := int64(2); id <= 200; id++ {
		last = b.change(t, customer(id, 1, "clerk"))
	}
	testkit.Eventually(t, patience, func() error {
		if _, err := b.server.GetIngestStatus(t.Context(), &analyticsv1.GetIngestStatusRequest{}); err == nil {
			return errStill // it must say that it can't work
		}
		return nil
	})
	line.set(false)
	b.await(t, last)
	if got := b.count(t, "customer"); got != "200" {
		t.Fatalf("%s customers", got)
	}
	if letters := b.letters(t); len(letters) != 0 {
		t.Fatalf("an outage made %d dead letters: %v", len(letters), letters[0])
	}
}

// ClickHouse is emptied while ingestion runs: it waits for the tables, and then replays.
func TestWarehouseWipedWhileRunning(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.start(t, b.conn)
	b.await(t, b.change(t, customer(1, 1, "clerk")))
	for _, table := range []string{"customer", "ingest_position"} {
		if err := b.conn.Exec(t.Context(), "RENAME TABLE "+table+" TO old_"+table); err != nil {
			t.Fatal(err)
		}
	}
	last := b.change(t, customer(2, 1, "clerk"))
	testkit.Eventually(t, patience, func() error {
		if _, err := b.server.GetIngestStatus(t.Context(), &analyticsv1.GetIngestStatusRequest{}); err == nil {
			return errStill
		}
		return nil
	})
	for _, table := range []string{"customer", "ingest_position"} {
		if err := b.conn.Exec(t.Context(), "CREATE TABLE "+table+" AS old_"+table); err != nil {
			t.Fatal(err)
		}
	}
	b.await(t, last)
	if got := b.count(t, "customer"); got != "2" {
		t.Fatalf("%s customers", got)
	}
}

// A process died with messages in hand: the next one has them at once and not after ackWait, which is longer than
// the test waits.
func TestRestartWithMessagesInHand(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.start(t, b.conn)
	b.await(t, b.change(t, customer(1, 1, "clerk")))
	b.stop()
	var last uint64
	for id := int64(2); id <= 50; id++ {
		last = b.change(t, customer(id, 1, "clerk"))
	}
	stream, err := b.js.Stream(t.Context(), natsx.StreamCRM)
	if err != nil {
		t.Fatal(err)
	}
	consumer, err := stream.Consumer(t.Context(), "analytics-ingest")
	if err != nil {
		t.Fatal(err)
	}
	taken, err := consumer.Fetch(30, jetstream.FetchMaxWait(patience))
	if err != nil {
		t.Fatal(err)
	}
	for m := range taken.Messages() {
		_ = m // never acknowledged
	}
	b.start(t, b.conn)
	b.await(t, last)
	if got := b.count(t, "customer"); got != "50" {
		t.Fatalf("%s customers", got)
	}
}

// Two processes of the service share the work, also when the second starts in the middle.
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.start(t, b.conn)
	var last uint64
	for id := int64(1); id <= 100; id++ {
		if last = b.change(t, customer(id, 1, "clerk")); id == 50 {
			b.start(t, b.conn)
		}
	}
	b.await(t, last)
	if got := b.count(t, "customer"); got != "100" {
		t.Fatalf("%s customers", got)
	}
}
