package insight_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	gocmp "github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/date"
	"tandem.bank/pkg/natsx"
	"tandem.bank/pkg/testkit"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/insight"
	"tandem.bank/services/analytics/internal/rfm"
	"tandem.bank/services/analytics/internal/warehousetest"
)

const manyCustomers = 2345

var errCrash = errors.New("crash")

// crashing breaks off after some bundles, and then no more.
type crashing struct {
	*rfm.Service
	after int
}

func (c *crashing) Bundles(ctx context.Context, runID string, send func(*eventsv1.InsightBundle) error) error {
	left := c.after
	return c.Service.Bundles(ctx, runID, func(b *eventsv1.InsightBundle) error {
		if left == 0 {
			return errCrash
		}
		left--
		return send(b)
	})
}

func connect(t *testing.T) jetstream.JetStream {
	t.Helper()
	nc, js, err := natsx.Connect(t.Context(), natsx.Config{URL: testkit.NATS(t), Name: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return js
}

func newPublisher(t *testing.T, js jetstream.JetStream, source insight.Source) *insight.Publisher {
	t.Helper()
	p, err := insight.New(insight.Config{JetStream: js, Source: source, Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var asOf = time.Date(2024, 6, 30, 0, 0, 0, 0, time.UTC)

// newBank is a warehouse of customers with an account and one transaction each.
func newBank(t *testing.T) (driver.Conn, *rfm.Service) {
	t.Helper()
	conn := warehousetest.Open(t)
	for _, seed := range []string{
		`INSERT INTO account_holder (account_holder_id, account_id, customer_id, role, version)
			SELECT number + 1, number + 1, number + 1, 'owner', 1 FROM numbers(2345)`,
		`INSERT INTO transaction (transaction_id, account_id, business_date, kind, base_value, base_currency, state, version)
			SELECT number + 1, number + 1, toDate('2024-06-30') - number % 300, 'card_payment', 1.25, 'CZK', 'posted', 1 FROM numbers(2345)`,
	} {
		if err := conn.Exec(t.Context(), seed); err != nil {
			t.Fatal(err)
		}
	}
	service, err := rfm.New(rfm.Config{
		Warehouse: conn, NewestChange: func() time.Time { return time.Time{} }, TimeZone: time.UTC, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return conn, service
}

// stored are the scores as lines of text, by customer number.
func stored(t *testing.T, conn driver.Conn) []string {
	t.Helper()
	var lines []string
	if err := conn.QueryRow(t.Context(), `SELECT groupArray(line) FROM (SELECT concat(toString(customer_id), ' ',
		toString(recency_bin), toString(frequency_bin), toString(monetary_bin), ' ', toString(recency_days), ' ', toString(frequency), ' ',
		toString(monetary)) AS line FROM rfm_score ORDER BY customer_id)`).Scan(&lines); err != nil {
		t.Fatal(err)
	}
	return lines
}

// home reads the stream: bundles in order, and each customer's line in them.
func home(t *testing.T, js jetstream.JetStream, messages int) (bundles []*eventsv1.InsightBundle, lines []string) {
	t.Helper()
	consumer, err := js.OrderedConsumer(t.Context(), natsx.StreamInsight, jetstream.OrderedConsumerConfig{FilterSubjects: []string{"insight.v1.rfm"}})
	if err != nil {
		t.Fatal(err)
	}
	for range messages {
		m, err := consumer.Next(jetstream.FetchMaxWait(10 * time.Second))
		if err != nil {
			t.Fatal(err)
		}
		bundle := &eventsv1.InsightBundle{}
		if err := proto.Unmarshal(m.Data(), bundle); err != nil {
			t.Fatal(err)
		}
		bundles = append(bundles, bundle)
		r := bundle.GetRfm()
		for i := range r.GetCustomerIds() {
			lines = append(lines, fmt.Sprint(r.GetCustomerIds()[i], r.GetCells()[i], r.GetRecencyDays()[i], r.GetFrequencies()[i])+" "+r.GetMonetaryValues()[i])
		}
	}
	if info, err := consumer.Info(t.Context()); err != nil || info.NumPending != 0 {
		t.Fatalf("more messages than expected: %v, %v", info, err)
	}
	return bundles, lines
}

// RunRfm sends each customer's result home exactly once.
func TestInsightsGoHome(t *testing.T) {
	t.Parallel()
	conn, service := newBank(t)
	js := connect(t)
	server := rfm.NewServer(service, newPublisher(t, js, service), nil)
	answer, err := server.RunRfm(t.Context(), &analyticsv1.RunRfmRequest{AsOf: date.Proto(asOf)})
	if err != nil {
		t.Fatal(err)
	}
	bundles, lines := home(t, js, 3)
	if diff := gocmp.Diff(stored(t, conn), lines); diff != "" || len(lines) != manyCustomers {
		t.Fatalf("%d customers at home:\n%s", len(lines), diff)
	}
	for i, bundle := range bundles {
		if bundle.GetRunId() != answer.GetRun().GetRunId() || bundle.GetAsOf() != "2024-06-30" || bundle.GetBundleIndex() != int32(i) || bundle.GetBundleCount() != 3 ||
			bundle.GetRfm().GetBaseCurrency() != "CZK" || !proto.Equal(bundle.GetComputedTime(), answer.GetRun().GetComputedTime()) {
			t.Errorf("bundle %d: %v %v", i, bundle.GetRunId(), bundle.GetBundleCount())
		}
	}
	if left, err := service.Unpublished(t.Context()); err != nil || len(left) != 0 {
		t.Fatalf("unpublished %v, %v", left, err)
	}
}

// The service died between the snapshot and the last bundle: the next start sends the rest, and NATS drops what it has.
func TestInsightsAfterCrash(t *testing.T) {
	t.Parallel()
	conn, service := newBank(t)
	js := connect(t)
	settings, err := rfm.NewSettings(asOf, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	run, err := service.Compute(t.Context(), settings)
	if err != nil {
		t.Fatal(err)
	}
	broken := newPublisher(t, js, &crashing{Service: service, after: 2})
	if err := broken.Publish(t.Context(), run.ID.String()); !errors.Is(err, errCrash) {
		t.Fatalf("publishing gave %v", err)
	}
	if left, err := service.Unpublished(t.Context()); err != nil || len(left) != 1 {
		t.Fatalf("unpublished %v, %v", left, err)
	}

	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- newPublisher(t, js, service).Run(ctx) }()
	_, lines := home(t, js, 3)
	testkit.Eventually(t, testkit.Patience, func() error {
		left, err := service.Unpublished(t.Context())
		if err == nil && len(left) > 0 {
			return errors.New("not marked as published")
		}
		return err
	})
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(stored(t, conn), lines); diff != "" || len(lines) != manyCustomers {
		t.Fatalf("%d customers at home:\n%s", len(lines), diff)
	}
}
