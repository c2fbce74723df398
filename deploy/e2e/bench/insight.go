package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/deploy/e2e/bench/benchkit"
	"tandem.bank/pkg/natsx"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
)

const (
	// comingHome is the name of the measurement: what the front office feels of the monthly results on their way home.
	comingHome = "GetCustomer360 p99 while monthly results come home, against without"
	// comingHomeGoal is how many times as long the slowest answers may take meanwhile.
	comingHomeGoal = 1.2
	// bundleCustomers is how many customers analytics puts into a bundle.
	bundleCustomers = 2000
	// turnCustomers bounds what is sent for one turn: more than can be applied in it.
	turnCustomers = 100_000
	// pairsARound are the turns without and with results at one pace.
	pairsARound = 4
	// insightDurable is the consumer of crm.
	insightDurable = "crm-insight"
)

// standingSQL tells of which days the results are that stand, from an earlier run over the same data perhaps.
const standingSQL = `SELECT current_date AS day UNION ALL SELECT max(as_of) FROM customer_rfm UNION ALL SELECT max(as_of) FROM customer_clv
UNION ALL SELECT max(as_of) FROM customer_segment UNION ALL SELECT max(as_of) FROM customer_score`

// home sends results as analytics does.
type home struct {
	*bench
	js jetstream.JetStream
	// month is the month of the results, which goes on from turn to turn: only later ones are written.
	month time.Time
}

// results calls for the screen at half of the pace that crm can keep up, without and with results coming home.
func (b *bench) results(ctx context.Context) ([]benchkit.Result, error) {
	nc, js, err := natsx.Connect(ctx, natsx.Config{URL: b.stack.nats.URL(), Name: "bench", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	defer nc.Close()
	h := &home{bench: b, js: js}
	err = b.pool.QueryRow(ctx, "SELECT max(day)::timestamptz FROM ("+standingSQL+") standing").Scan(&h.month)
	if err != nil {
		return nil, err
	}
	var ratios []float64
	for range b.config.Rounds {
		found, err := h.pairs(ctx, screenCall(b))
		if err != nil {
			return nil, err
		}
		ratios = append(ratios, found...)
	}
	slices.Sort(ratios)
	return []benchkit.Result{benchkit.AtMost(comingHome, ratios[len(ratios)/2], "times", comingHomeGoal)}, nil
}

// pairs are turns without and with results beside each other, at one pace. A slowest hundredth is a few calls, which a moment of
// the machine's other work is enough to change: so many pairs count, and in every second one the results come first.
func (h *home) pairs(ctx context.Context, call work) (ratios []float64, err error) {
	if err := h.settle(ctx); err != nil {
		return nil, err
	}
	most, err := h.saturate(ctx, call, h.config.Slice)
	if err != nil {
		return nil, err
	}
	var took [2]percentiles // without and with
	var rate float64
	measure := func() (percentiles, error) { return h.paced(ctx, call, most/2) }
	without := func() error {
		took[0], err = measure()
		return err
	}
	with := func() error {
		took[1], rate, err = h.meanwhile(ctx, measure)
		return err
	}
	for n := range pairsARound {
		turns := []func() error{without, with}
		if n%2 == 1 {
			slices.Reverse(turns)
		}
		for _, turn := range turns {
			if err := turn(); err != nil {
				return nil, err
			}
		}
		ratio := float64(took[1].p99) / float64(took[0].p99)
		benchkit.Say("GetCustomer360 at %.0f a second: p99 %s, and %s with %.0f results a second: %.2f", most/2, took[0].p99, took[1].p99, rate, ratio)
		ratios = append(ratios, ratio)
	}
	return ratios, nil
}

// meanwhile measures while the results of a month are applied, and tells how many were written a second.
func (h *home) meanwhile(ctx context.Context, measure func() (percentiles, error)) (took percentiles, rate float64, err error) {
	h.month = h.month.AddDate(0, 1, 0)
	stream, err := h.js.Stream(ctx, natsx.StreamInsight)
	if err != nil {
		return took, 0, err
	}
	if err := h.begin(ctx, stream); err != nil {
		return took, 0, err
	}
	before, err := h.written(ctx)
	if err != nil {
		return took, 0, err
	}
	begun := time.Now()
	if took, err = measure(); err != nil {
		return took, 0, err
	}
	lasted := time.Since(begun)
	after, err := h.written(ctx)
	if err != nil {
		return took, 0, err
	}
	consumer, err := stream.Consumer(ctx, insightDurable)
	if err != nil {
		return took, 0, err
	}
	if consumer.CachedInfo().NumPending == 0 {
		return took, 0, fmt.Errorf("all results came home before the end of the turn: the figure says nothing")
	}
	rate = float64(after-before) / lasted.Seconds()
	return took, rate, h.stop(ctx, stream)
}

// begin sends the results of a month, and waits until crm has applied the first bundle: behind that one nothing waited yet.
func (h *home) begin(ctx context.Context, stream jetstream.Stream) error {
	consumer, err := stream.Consumer(ctx, insightDurable)
	if err != nil {
		return err
	}
	first := consumer.CachedInfo().AckFloor.Consumer + 1
	if err := h.send(ctx); err != nil {
		return err
	}
	for consumer.CachedInfo().AckFloor.Consumer < first {
		pause(ctx, 100*time.Millisecond)
		if _, err := consumer.Info(ctx); err != nil {
			return err
		}
	}
	return nil
}

// stop forgets what was not applied, and waits for what is in hand.
func (h *home) stop(ctx context.Context, stream jetstream.Stream) error {
	if err := stream.Purge(ctx); err != nil {
		return err
	}
	for ctx.Err() == nil {
		consumer, err := stream.Consumer(ctx, insightDurable)
		if err != nil {
			return err
		}
		if consumer.CachedInfo().NumAckPending == 0 {
			return nil
		}
		pause(ctx, 100*time.Millisecond)
	}
	return ctx.Err()
}

// written counts the results that were ever applied.
func (h *home) written(ctx context.Context) (count int64, err error) {
	err = h.pool.QueryRow(ctx, `SELECT (SELECT count(*) FROM customer_rfm_history) + (SELECT count(*) FROM customer_clv_history)
		+ (SELECT count(*) FROM customer_segment_history) + (SELECT count(*) FROM customer_score_history)`).Scan(&count)
	return count, err
}

// send publishes a month's results of each kind.
func (h *home) send(ctx context.Context) error {
	customers := min(h.config.Customers, turnCustomers)
	for first := 1; first <= customers; first += bundleCustomers {
		ids := make([]int64, min(bundleCustomers, customers-first+1))
		for i := range ids {
			ids[i] = int64(first + i)
		}
		for kind, bundle := range h.bundles(ids) {
			data, err := proto.Marshal(bundle)
			if err != nil {
				return err
			}
			if _, err := h.js.Publish(ctx, natsx.InsightSubject(kind), data); err != nil {
				return fmt.Errorf("publish %s: %w", kind, err)
			}
		}
	}
	return nil
}

// bundles are all that a month says of some customers.
func (h *home) bundles(ids []int64) map[string]*eventsv1.InsightBundle {
	n := len(ids)
	amounts, none := repeat(n, "12345.67"), repeat(n, "")
	bundle := func() *eventsv1.InsightBundle {
		return &eventsv1.InsightBundle{
			RunId: uuid.NewString(), AsOf: h.month.Format(time.DateOnly), ComputedTime: timestamppb.New(h.month), BundleCount: 1,
		}
	}
	rfm, clv, segment, score := bundle(), bundle(), bundle(), bundle()
	rfm.Results = &eventsv1.InsightBundle_Rfm{Rfm: &eventsv1.RfmResults{
		CustomerIds: ids, Cells: repeat(n, int32(545)), RecencyDays: repeat(n, int32(7)), Frequencies: repeat(n, int64(30)),
		MonetaryValues: amounts, BaseCurrency: "CZK",
	}}
	clv.Results = &eventsv1.InsightBundle_Clv{Clv: &eventsv1.ClvResults{
		CustomerIds: ids, HistoricValues: amounts, PredictiveValues: amounts, PredictiveLows: amounts, PredictiveHighs: amounts,
		PreviousValues: none, PAlive: repeat(n, 0.5), ExpectedPurchases: repeat(n, 3.5), Ranks: repeat(n, int64(1)), Customers: 1,
		BaseCurrency: "CZK", HorizonDays: 365,
	}}
	segment.Results = &eventsv1.InsightBundle_Segments{Segments: &eventsv1.SegmentResults{
		Segment: "affluent", DefinitionVersion: 1, CustomerIds: ids, Members: repeat(n, h.month.Month()%2 == 0),
	}}
	score.Results = &eventsv1.InsightBundle_Scores{Scores: &eventsv1.ScoreResults{
		Score: "churn", DefinitionVersion: 1, ModelVersion: 1, CustomerIds: ids, Values: repeat(n, float64(h.month.YearDay())/366),
		Grades: repeat(n, "B"),
	}}
	return map[string]*eventsv1.InsightBundle{"rfm": rfm, "clv": clv, "segment": segment, "score": score}
}

func repeat[T any](n int, value T) []T {
	out := make([]T, n)
	for i := range out {
		out[i] = value
	}
	return out
}
