package insight_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/genproto/googleapis/type/date"
	"google.golang.org/genproto/googleapis/type/money"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/natsx"
	"tandem.bank/pkg/testkit"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/insight"
	"tandem.bank/services/crm/internal/record"
	"tandem.bank/services/crm/migrations"
)

const (
	runA = "0199f3a0-0000-7000-8000-00000000000a"
	runB = "0199f3a0-0000-7000-8000-00000000000b"
	// customersMax is the highest number that the tests' bank knows.
	customersMax = 10_000
)

var computed = time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)

type bank struct {
	pool *pgxpool.Pool
	js   jetstream.JetStream
}

// newBank starts a consumer, and fails while failures is positive as a database that is in trouble would.
func newBank(t *testing.T, failures *int) *bank {
	t.Helper()
	pool := testkit.Postgres(t, testkit.Template{Name: "crm", Migrate: migrations.Migrate})
	log := slog.New(slog.DiscardHandler)
	nc, js, err := natsx.Connect(t.Context(), natsx.Config{URL: testkit.NATS(t), Name: "test", Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	if err := natsx.EnsureStreams(t.Context(), js); err != nil {
		t.Fatal(err)
	}
	consumer, err := insight.NewConsumer(insight.Config{
		Pool: pool, JetStream: js, Logger: log, Registerer: prometheus.NewRegistry(),
		Calls: func() int64 { return 0 },
		KnownCustomers: func(_ context.Context, _ pgx.Tx, ids []int64) ([]int64, error) {
			if *failures > 0 {
				*failures--
				return nil, errors.New("no answer")
			}
			var known []int64
			for _, id := range ids {
				if id <= customersMax {
					known = append(known, id)
				}
			}
			return known, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- consumer.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return &bank{pool: pool, js: js}
}

// bundle holds one result for each customer; the cell tells bundles apart.
func bundle(runID, asOf string, computedAt time.Time, cell int32, customers ...int64) *eventsv1.InsightBundle {
	rfm := &eventsv1.RfmResults{CustomerIds: customers, BaseCurrency: "CZK"}
	for i := range customers {
		rfm.Cells = append(rfm.Cells, cell)
		rfm.RecencyDays = append(rfm.RecencyDays, int32(i))
		rfm.Frequencies = append(rfm.Frequencies, int64(10*i))
		rfm.MonetaryValues = append(rfm.MonetaryValues, fmt.Sprintf("%d.25", i))
	}
	return &eventsv1.InsightBundle{
		RunId: runID, AsOf: asOf, ComputedTime: timestamppb.New(computedAt), BundleCount: 1,
		Results: &eventsv1.InsightBundle_Rfm{Rfm: rfm},
	}
}

func (b *bank) send(t *testing.T, bundle *eventsv1.InsightBundle) {
	t.Helper()
	data, err := proto.Marshal(bundle)
	if err != nil {
		t.Fatal(err)
	}
	b.sendRaw(t, data)
}

func (b *bank) sendRaw(t *testing.T, data []byte) {
	t.Helper()
	if _, err := b.js.Publish(t.Context(), natsx.InsightSubject("rfm"), data); err != nil {
		t.Fatal(err)
	}
}

// settled waits until every bundle sent so far is answered for.
func (b *bank) settled(t *testing.T) {
	t.Helper()
	testkit.Eventually(t, testkit.Patience, func() error {
		stream, err := b.js.Stream(t.Context(), natsx.StreamInsight)
		if err != nil {
			return err
		}
		consumer, err := stream.Consumer(t.Context(), insight.Durable)
		if err != nil {
			return err
		}
		if floor, last := consumer.CachedInfo().AckFloor.Stream, stream.CachedInfo().State.LastSeq; floor < last {
			return fmt.Errorf("answered %d of %d", floor, last)
		}
		return nil
	})
}

func (b *bank) rfm(t *testing.T, customerID int64) (got *crmv1.RfmInsight, err error) {
	t.Helper()
	err = record.Read(t.Context(), b.pool, insight.ForCustomer(&got, customerID))
	return got, err
}

func (b *bank) cell(t *testing.T, customerID int64) string {
	t.Helper()
	got, err := b.rfm(t, customerID)
	if err != nil {
		t.Fatal(err)
	}
	return got.GetCell()
}

func TestApplyAndRead(t *testing.T) {
	t.Parallel()
	b := newBank(t, new(int))
	b.send(t, bundle(runA, "2026-02-28", computed, 45, 3, 1, 2))
	b.settled(t)
	got, err := b.rfm(t, 2)
	if err != nil {
		t.Fatal(err)
	}
	want := &crmv1.RfmInsight{
		AsOf: &date.Date{Year: 2026, Month: 2, Day: 28}, Cell: "045", RecencyDays: 2, Frequency: 20,
		Monetary: &money.Money{CurrencyCode: "CZK", Units: 2, Nanos: 250_000_000}, RunId: runA, ComputedTime: timestamppb.New(computed),
	}
	if got.GetAppliedTime() == nil {
		t.Error("nobody knows since when the result stands")
	}
	ignore := protocmp.IgnoreFields(want, "applied_time")
	if diff := cmp.Diff(want, got, protocmp.Transform(), ignore); diff != "" {
		t.Errorf("insight (-want +got):\n%s", diff)
	}
	none, err := b.rfm(t, 4)
	if err != nil || none != nil {
		t.Errorf("customer without a result: %v, %v", none, err)
	}
}

func TestTheLaterResultStands(t *testing.T) {
	t.Parallel()
	b := newBank(t, new(int))
	for _, step := range []struct {
		name   string
		bundle *eventsv1.InsightBundle
		want   string
	}{
		{"first", bundle(runA, "2026-02-28", computed, 111, 1), "111"},
		{"earlier day, computed later", bundle(runB, "2026-02-27", computed.Add(time.Hour), 222, 1), "111"},
		{"same day, computed earlier", bundle(runB, "2026-02-28", computed.Add(-time.Second), 333, 1), "111"},
		{"the same again", bundle(runA, "2026-02-28", computed, 444, 1), "111"},
		{"same day, computed later", bundle(runB, "2026-02-28", computed.Add(time.Second), 555, 1), "555"},
		{"later day, computed earlier", bundle(runB, "2026-03-01", computed.Add(-time.Hour), 545, 1), "545"},
	} {
		b.send(t, step.bundle)
		b.settled(t)
		if got := b.cell(t, 1); got != step.want {
			t.Errorf("after %s: cell %s, want %s", step.name, got, step.want)
		}
	}
}

func TestUnknownCustomersAreSkipped(t *testing.T) {
	t.Parallel()
	b := newBank(t, new(int))
	b.send(t, bundle(runA, "2026-02-28", computed, 123, 1, customersMax+1, 2))
	b.send(t, bundle(runA, "2026-02-28", computed, 123))
	b.settled(t)
	var count int
	if err := b.pool.QueryRow(t.Context(), "SELECT count(*) FROM customer_rfm").Scan(&count); err != nil || count != 2 {
		t.Errorf("%d results (%v), want 2", count, err)
	}
	if got := b.cell(t, customersMax+1); got != "" {
		t.Errorf("unknown customer has cell %s", got)
	}
}

func TestABundleWaitsForPostgres(t *testing.T) {
	t.Parallel()
	failures := 1
	b := newBank(t, &failures)
	b.send(t, bundle(runA, "2026-02-28", computed, 123, 1))
	b.settled(t)
	if got := b.cell(t, 1); got != "123" {
		t.Errorf("cell %q after a passing failure", got)
	}
}

func TestMalformedBundlesArePutAside(t *testing.T) {
	t.Parallel()
	b := newBank(t, new(int))
	broken := map[string]func(*eventsv1.InsightBundle){
		"run_id":          func(m *eventsv1.InsightBundle) { m.RunId = "x" },
		"as_of":           func(m *eventsv1.InsightBundle) { m.AsOf = "2026-02-30" },
		"computed_time":   func(m *eventsv1.InsightBundle) { m.ComputedTime = nil },
		"results":         func(m *eventsv1.InsightBundle) { m.Results = nil },
		"base_currency":   func(m *eventsv1.InsightBundle) { m.GetRfm().BaseCurrency = "czk" },
		"frequencies":     func(m *eventsv1.InsightBundle) { m.GetRfm().Frequencies = []int64{1} },
		"customer_ids":    func(m *eventsv1.InsightBundle) { m.GetRfm().CustomerIds = []int64{1, 1} },
		"cells":           func(m *eventsv1.InsightBundle) { m.GetRfm().Cells[1] = 1000 },
		"recency_days":    func(m *eventsv1.InsightBundle) { m.GetRfm().RecencyDays[0] = -1 },
		"monetary_values": func(m *eventsv1.InsightBundle) { m.GetRfm().MonetaryValues[0] = "1e999999999" },
	}
	b.sendRaw(t, []byte{0xff})
	for _, damage := range broken {
		m := bundle(runA, "2026-02-28", computed, 123, 1, 2)
		damage(m)
		b.send(t, m)
	}
	b.send(t, bundle(runA, "2026-02-28", computed, 545, 7)) // the rest goes on
	b.settled(t)
	if b.cell(t, 7) != "545" || b.cell(t, 1) != "" {
		t.Errorf("cells %q and %q, want 545 and none", b.cell(t, 7), b.cell(t, 1))
	}

	stream, err := b.js.Stream(t.Context(), natsx.StreamCRMDLQ)
	if err != nil {
		t.Fatal(err)
	}
	if got := stream.CachedInfo().State.Msgs; got != uint64(len(broken)+1) {
		t.Errorf("%d dead letters, want %d", got, len(broken)+1)
	}
	first, err := stream.GetMsg(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	var letter eventsv1.DeadLetter
	if err := proto.Unmarshal(first.Data, &letter); err != nil {
		t.Fatal(err)
	}
	if letter.GetSubject() != "insight.v1.rfm" || letter.GetStreamSequence() != 1 || letter.GetReason() == "" ||
		string(letter.GetData()) != "\xff" || letter.GetFailedTime() == nil {
		t.Errorf("dead letter %v", &letter)
	}
}

// Results that gave way are kept: the trend, and what stood at a moment.
func TestHistory(t *testing.T) {
	t.Parallel()
	b := newBank(t, new(int))
	var moments []time.Time
	for i, cell := range []int32{111, 222, 333} {
		b.send(t, bundle(runA, "2026-02-28", computed.Add(time.Duration(i)*time.Hour), cell, 1))
		b.settled(t)
		moments = append(moments, b.now(t))
	}
	b.send(t, bundle(runA, "2026-02-28", computed, 111, 1)) // gives way at once
	b.settled(t)
	for i, at := range append([]time.Time{moments[0].Add(-time.Hour)}, moments...) {
		var got *crmv1.RfmInsight
		if err := record.Read(t.Context(), b.pool, insight.StoodAt(&got, 1, at)); err != nil {
			t.Fatal(err)
		}
		if want := []string{"", "111", "222", "333"}[i]; got.GetCell() != want {
			t.Errorf("at %s stood %q, want %q", at, got.GetCell(), want)
		}
	}
	var cells []string
	req := &crmv1.ListRfmHistoryRequest{CustomerId: 1, PageSize: 2}
	for {
		page, err := insight.List(t.Context(), b.pool, req)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range page.GetInsights() {
			cells = append(cells, i.GetCell())
		}
		if req.PageToken = page.GetNextPageToken(); req.GetPageToken() == "" {
			break
		}
	}
	if diff := cmp.Diff([]string{"333", "222", "111"}, cells); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
}

// worth holds the lifetime value of one customer; a customer without a predictive one has texts that are empty.
func worth(asOf string, computedAt time.Time, customer int64, predictive, previous string) *eventsv1.InsightBundle {
	alive, expected := 0.75, 3.5
	if predictive == "" {
		alive, expected = math.NaN(), math.NaN()
	}
	return &eventsv1.InsightBundle{
		RunId: runA, AsOf: asOf, ComputedTime: timestamppb.New(computedAt), BundleCount: 1,
		Results: &eventsv1.InsightBundle_Clv{Clv: &eventsv1.ClvResults{
			CustomerIds: []int64{customer}, HistoricValues: []string{"12.5"}, PredictiveValues: []string{predictive},
			PredictiveLows: []string{""}, PredictiveHighs: []string{""}, PreviousValues: []string{previous}, PAlive: []float64{alive},
			ExpectedPurchases: []float64{expected}, Ranks: []int64{2}, Customers: 9, BaseCurrency: "CZK", HorizonDays: 365,
		}},
	}
}

func TestLifetimeValue(t *testing.T) {
	t.Parallel()
	b := newBank(t, new(int))
	b.send(t, worth("2026-02-28", computed, 1, "100", ""))
	b.send(t, worth("2026-02-28", computed, 2, "", ""))
	b.settled(t)
	between := b.now(t)
	b.send(t, worth("2026-03-31", computed.Add(time.Hour), 1, "130.5", "100"))
	b.send(t, worth("2026-01-31", computed.Add(2*time.Hour), 1, "7", "")) // gives way at once
	damaged := worth("2026-04-30", computed, 1, "1", "")
	damaged.GetClv().Ranks[0] = 10
	b.send(t, damaged)
	b.settled(t)
	read := func(part func(**crmv1.ClvInsight) record.Part) *crmv1.ClvInsight {
		t.Helper()
		var got *crmv1.ClvInsight
		if err := record.Read(t.Context(), b.pool, part(&got)); err != nil {
			t.Fatal(err)
		}
		return got
	}
	got := read(func(into **crmv1.ClvInsight) record.Part { return insight.ClvForCustomer(into, 1) })
	want := &crmv1.ClvInsight{
		AsOf: &date.Date{Year: 2026, Month: 3, Day: 31}, Historic: &money.Money{CurrencyCode: "CZK", Units: 12, Nanos: 500_000_000},
		Predictive: &money.Money{CurrencyCode: "CZK", Units: 130, Nanos: 500_000_000},
		Trend:      &money.Money{CurrencyCode: "CZK", Units: 30, Nanos: 500_000_000},
		PAlive:     new(0.75), ExpectedPurchases: new(3.5), Rank: 2, Customers: 9, HorizonDays: 365, RunId: runA,
		ComputedTime: timestamppb.New(computed.Add(time.Hour)),
	}
	if diff := cmp.Diff(want, got, protocmp.Transform(), protocmp.IgnoreFields(want, "applied_time")); diff != "" {
		t.Errorf("insight (-want +got):\n%s", diff)
	}
	if stood := read(func(into **crmv1.ClvInsight) record.Part { return insight.ClvStoodAt(into, 1, between) }); stood.GetPredictive().GetUnits() != 100 {
		t.Errorf("in between stood %v", stood)
	}
	if none := read(func(into **crmv1.ClvInsight) record.Part { return insight.ClvForCustomer(into, 2) }); none.Predictive != nil || none.PAlive != nil || none.GetHistoric() == nil {
		t.Errorf("a customer without a model has %v", none)
	}
}
