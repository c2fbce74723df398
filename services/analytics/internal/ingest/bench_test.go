package ingest_test

import (
	"fmt"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/fact"
)

const (
	benchBundles    = 200
	benchBundleRows = 2000
)

// benchBundle is like what a core system sends: two years of days, amounts with cents.
func benchBundle(n int64) *eventsv1.Change {
	rows := make([]*eventsv1.TransactionState, benchBundleRows)
	first := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range rows {
		id := n*benchBundleRows + int64(i) + 1
		day := first.AddDate(0, 0, int(id*7919%730)).Format(time.DateOnly)
		rows[i] = transaction(id, 1, id*104729%100000+1, day, fmt.Sprintf("%d.%02d", id%100000, id%100))
		rows[i].BalanceAfter = "12345.67"
	}
	return bundle(rows...)
}

// BenchmarkIngest follows a stream that is full already; one round is 400 000 transactions.
func BenchmarkIngest(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		bank := newBank(b)
		var last uint64
		for n := range int64(benchBundles) {
			last = bank.change(b, benchBundle(n))
		}
		b.StartTimer()
		bank.start(b, bank.conn)
		bank.await(b, last)
		b.StopTimer()
		bank.stop()
		b.StartTimer()
	}
	b.ReportMetric(float64(b.N*benchBundles*benchBundleRows)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkDecode is the part without engines.
func BenchmarkDecode(b *testing.B) {
	data, err := proto.Marshal(benchBundle(1))
	if err != nil {
		b.Fatal(err)
	}
	rows := fact.NewBatch()
	b.ReportAllocs()
	for b.Loop() {
		rows.Reset()
		if err := rows.Add(data); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*benchBundleRows)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkInsert is the bare insert of the same rows in batches of the same size, to compare with.
func BenchmarkInsert(b *testing.B) {
	bank := newBank(b)
	const bundles = 50 // 100 000 rows
	rows := fact.NewBatch()
	for n := range int64(bundles) {
		data, err := proto.Marshal(benchBundle(n))
		if err != nil {
			b.Fatal(err)
		}
		if err := rows.Add(data); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if err := rows.Insert(b.Context(), bank.conn); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*bundles*benchBundleRows)/b.Elapsed().Seconds(), "rows/s")
}
