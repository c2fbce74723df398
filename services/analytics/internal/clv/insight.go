package clv

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
)

// bundleCustomers is how many customers one bundle of insights holds: about 90 KiB.
const bundleCustomers = 1000

// Kind names the insights of this room: their subject is insight.v1.clv.
func (*Service) Kind() string { return "clv" }

// Unpublished returns the runs whose results did not all go home, oldest first.
func (s *Service) Unpublished(ctx context.Context) ([]string, error) {
	found, err := s.store.runs(ctx, unpublishedQuery())
	if err != nil {
		return nil, err
	}
	ids := make([]string, 0, len(found))
	for _, run := range slices.Backward(found) {
		ids = append(ids, run.ID.String())
	}
	return ids, nil
}

// Bundles calls send for each bundle of a run, in order of customer number. It holds one bundle at a time: the rows
// stream from ClickHouse.
func (s *Service) Bundles(ctx context.Context, runID string, send func(*eventsv1.InsightBundle) error) error {
	run, err := s.parsed(ctx, runID)
	if err != nil {
		return err
	}
	count := (run.Customers + bundleCustomers - 1) / bundleCustomers
	index, results := int32(0), newResults(run)
	flush := func() error {
		bundle := &eventsv1.InsightBundle{
			RunId: runID, AsOf: day(run.AsOf), ComputedTime: timestamppb.New(run.ComputedTime),
			BundleIndex: index, BundleCount: int32(count), //nolint:gosec // customers / 1000
			Results: &eventsv1.InsightBundle_Clv{Clv: results},
		}
		index, results = index+1, newResults(run)
		return send(bundle)
	}
	err = s.store.values(ctx, pageQuery(run, byCustomer, 0, int(run.Customers)), func(v Value) error { //nolint:gosec // a count
		add(results, v)
		if len(results.GetCustomerIds()) == bundleCustomers {
			return flush()
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(results.GetCustomerIds()) > 0 {
		if err := flush(); err != nil {
			return err
		}
	}
	if uint64(index) != count {
		return fmt.Errorf("clv run %s has %d bundles of values instead of %d", runID, index, count)
	}
	return nil
}

// MarkPublished notes that all results of a run went home.
func (s *Service) MarkPublished(ctx context.Context, runID string) error {
	run, err := s.parsed(ctx, runID)
	if err != nil {
		return err
	}
	run.InsightsPublished = true
	return s.store.save(ctx, run)
}

func (s *Service) parsed(ctx context.Context, runID string) (Run, error) {
	id, err := uuid.Parse(runID)
	if err != nil {
		return Run{}, fmt.Errorf("id of a clv run: %w", err)
	}
	return s.store.run(ctx, id)
}

func newResults(run Run) *eventsv1.ClvResults {
	return &eventsv1.ClvResults{
		CustomerIds: make([]int64, 0, bundleCustomers), BaseCurrency: run.BaseCurrency, HorizonDays: run.spec.GetHorizonDays(),
		Customers: int64(run.Customers), //nolint:gosec // a count
	}
}

//nolint:gosec // ids and places come from int64s and stay below
func add(r *eventsv1.ClvResults, v Value) {
	r.CustomerIds = append(r.CustomerIds, int64(v.CustomerID))
	r.HistoricValues = append(r.HistoricValues, v.HistoricValue.String())
	r.PredictiveValues = append(r.PredictiveValues, text(v.Predictive))
	r.PredictiveLows = append(r.PredictiveLows, text(v.PredictiveLow))
	r.PredictiveHighs = append(r.PredictiveHighs, text(v.PredictiveHigh))
	r.PreviousValues = append(r.PreviousValues, text(v.PreviousPredictive))
	r.PAlive = append(r.PAlive, orNaN(v.Alive))
	r.ExpectedPurchases = append(r.ExpectedPurchases, orNaN(v.Expected))
	r.Ranks = append(r.Ranks, int64(v.Place))
}

// text is empty for what is not known.
func text(value *decimal.Decimal) string {
	if value == nil {
		return ""
	}
	return value.String()
}

func orNaN(value *float64) float64 {
	if value == nil {
		return math.NaN()
	}
	return *value
}
