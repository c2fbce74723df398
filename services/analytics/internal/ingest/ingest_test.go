package ingest_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/natsx"
	"tandem.bank/pkg/testkit"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/warehouse"
	"tandem.bank/services/analytics/migrations"
)

func TestAwaitOnEmptyStream(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.start(t, b.conn)
	b.await(t, 0)
	ctx, cancel := context.WithTimeout(t.Context(), 100e6)
	defer cancel()
	_, err := b.server.AwaitIngested(ctx, &analyticsv1.AwaitIngestedRequest{StreamSequence: 1})
	if st, _ := apperr.Public(err); st.Code() != codes.DeadlineExceeded {
		t.Fatalf("waiting for what never comes gave %v", err)
	}
}

// Changes come in any order, some twice, some late after a deletion: the highest version of each decides.
func TestAnyOrderAndDuplicates(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	const customers, versions = 40, 6
	random := rand.New(rand.NewPCG(7, 7))
	var changes []*eventsv1.Change
	want := []string{}
	for id := int64(1); id <= customers; id++ {
		top := 1 + random.Int64N(versions)
		gone := random.IntN(4) == 0
		for v := int64(1); v <= top; v++ {
			c := customer(id, v, fmt.Sprintf("work %d", v))
			c.Deleted = gone && v == top
			for range 1 + random.IntN(2) {
				changes = append(changes, c)
			}
		}
		if !gone {
			want = append(want, fmt.Sprintf("%d work %d", id, top))
		}
	}
	random.Shuffle(len(changes), func(i, j int) { changes[i], changes[j] = changes[j], changes[i] })

	b.start(t, b.conn)
	var last uint64
	for i, c := range changes {
		last = b.change(t, c)
		if i == len(changes)/2 {
			b.await(t, last) // so that versions meet across batches, and not in one block only
		}
	}
	b.await(t, last)
	const rows = "SELECT concat(toString(customer_id), ' ', occupation) FROM customer FINAL ORDER BY customer_id"
	if err := equal(b.query(t, rows), want...); err != nil {
		t.Fatal(err)
	}
}

// A later version of a transaction corrects the amount or takes it back; its day and account stay.
func TestTransactionVersions(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.start(t, b.conn)
	reversed := transaction(3, 2, 8, "2024-02-29", "5")
	reversed.State = "reversed"
	b.change(t, bundle(transaction(1, 2, 7, "2024-01-31", "10.5"), reversed))
	b.change(t, bundle(transaction(1, 1, 7, "2024-01-31", "99"), transaction(2, 1, 7, "2019-12-31", "-0.0001")))
	last := b.change(t, bundle(transaction(3, 1, 8, "2024-02-29", "5")))
	b.await(t, last)
	const rows = `SELECT concat(toString(transaction_id), ' ', toString(business_date), ' ', toString(amount), ' ', currency, ' ',
		toString(base_value), ' ', base_currency, ' ', state) FROM transaction FINAL ORDER BY transaction_id`
	if err := equal(b.query(t, rows),
		"1 2024-01-31 10.5 CZK 10.5 CZK posted",
		"2 2019-12-31 -0.0001 CZK -0.0001 CZK posted",
		"3 2024-02-29 5 CZK 5 CZK reversed",
	); err != nil {
		t.Fatal(err)
	}
}

// A batch over more months than ClickHouse's default limit for one insert.
func TestLongHistory(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.start(t, b.conn)
	var rows []*eventsv1.TransactionState
	for i := range int64(120) {
		rows = append(rows, transaction(i+1, 1, 1, fmt.Sprintf("%d-%02d-15", 2000+i/12, 1+i%12), "1"))
	}
	b.await(t, b.change(t, bundle(rows...)))
	if got := b.count(t, "transaction"); got != "120" {
		t.Fatalf("%s rows", got)
	}
}

// Drop ClickHouse, replay, and every table is back.
func TestReplayAfterWarehouseWipe(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.start(t, b.conn)
	for id := int64(1); id <= 20; id++ {
		b.change(t, customer(id, 1, "clerk"))
	}
	b.publish(t, "crm.v1.customer.upserted", []byte("not a change"))
	last := b.change(t, bundle(transaction(1, 1, 7, "2024-01-31", "10.5")))
	b.await(t, last)
	b.stop()

	testkit.DropClickHouse(t, b.url)
	if err := migrations.Migrate(t.Context(), b.url); err != nil {
		t.Fatal(err)
	}
	b.start(t, b.conn)
	b.await(t, last)
	if customers, transactions := b.count(t, "customer"), b.count(t, "transaction"); customers != "20" || transactions != "1" {
		t.Fatalf("%s customers and %s transactions came back", customers, transactions)
	}
	if letters := b.letters(t); len(letters) != 1 {
		t.Fatalf("%d dead letters; the replay must not double them", len(letters))
	}
}

// The warehouse was restored from an older copy: its position is behind the consumer.
func TestReplayAfterWarehouseRestore(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.start(t, b.conn)
	b.await(t, b.change(t, customer(1, 1, "clerk")))
	for _, backup := range []string{"CREATE TABLE copy AS ingest_position", "INSERT INTO copy SELECT * FROM ingest_position"} {
		if err := warehouse.OnParts(t.Context(), b.conn, backup); err != nil {
			t.Fatal(err)
		}
	}
	last := b.change(t, customer(2, 1, "clerk"))
	b.await(t, last)
	b.stop()
	for _, restore := range []string{"TRUNCATE TABLE ingest_position", "INSERT INTO ingest_position SELECT * FROM copy", "DELETE FROM customer WHERE customer_id = 2"} {
		if err := warehouse.OnParts(t.Context(), b.conn, restore); err != nil {
			t.Fatal(err)
		}
	}
	b.start(t, b.conn)
	b.await(t, last)
	if got := b.count(t, "customer"); got != "2" {
		t.Fatalf("%s customers", got)
	}
}

// The stream was made anew and counts from 1 again, with and without a restart of ingestion.
func TestStreamMadeAnew(t *testing.T) {
	t.Parallel()
	for _, restart := range []bool{false, true} {
		t.Run(fmt.Sprintf("restart %v", restart), func(t *testing.T) {
			t.Parallel()
			b := newBank(t)
			b.start(t, b.conn)
			var last uint64
			for id := int64(1); id <= 5; id++ {
				last = b.change(t, customer(id, 1, "clerk"))
			}
			b.await(t, last)
			if restart {
				b.stop()
			}
			if err := b.js.DeleteStream(t.Context(), natsx.StreamCRM); err != nil {
				t.Fatal(err)
			}
			// The server is still removing the old stream's folder when it says that the stream is gone.
			testkit.Eventually(t, testkit.Patience, func() error { return natsx.EnsureStreams(t.Context(), b.js) })
			if restart {
				b.start(t, b.conn)
			}
			if last = b.change(t, customer(6, 1, "clerk")); last != 1 {
				t.Fatalf("sequence %d", last)
			}
			b.await(t, last)
			if got := b.count(t, "customer"); got != "6" {
				t.Fatalf("%s customers", got)
			}
		})
	}
}
