package rfm

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
)

// bundleCustomers is how many customers one bundle of insights holds: about 40 KiB.
const bundleCustomers = 1000

// Kind names the insights of this room: their subject is insight.v1.rfm.
func (*Service) Kind() string { return "rfm" }

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
			Results: &eventsv1.InsightBundle_Rfm{Rfm: results},
		}
		index, results = index+1, newResults(run)
		return send(bundle)
	}
	err = s.store.scores(ctx, pageQuery(run, byCustomer, 0, int(run.Customers)), func(score Score) error { //nolint:gosec // a count
		add(results, score, run)
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
		return fmt.Errorf("rfm run %s has %d bundles of scores instead of %d", runID, index, count)
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
		return Run{}, fmt.Errorf("id of an rfm run: %w", err)
	}
	return s.store.run(ctx, id)
}

func newResults(run Run) *eventsv1.RfmResults {
	return &eventsv1.RfmResults{
		CustomerIds: make([]int64, 0, bundleCustomers), Cells: make([]int32, 0, bundleCustomers),
		RecencyDays: make([]int32, 0, bundleCustomers), Frequencies: make([]int64, 0, bundleCustomers),
		MonetaryValues: make([]string, 0, bundleCustomers), BaseCurrency: run.BaseCurrency,
	}
}

//nolint:gosec // ids and counts come from int64s and stay below
func add(r *eventsv1.RfmResults, s Score, run Run) {
	r.CustomerIds = append(r.CustomerIds, int64(s.CustomerID))
	r.Cells = append(r.Cells, s.Cell())
	r.RecencyDays = append(r.RecencyDays, int32(s.RecencyDays))
	r.Frequencies = append(r.Frequencies, int64(s.Frequency))
	r.MonetaryValues = append(r.MonetaryValues, s.Monetary.String())
	if len(run.Segments) > 0 {
		r.Segments = append(r.Segments, run.segment(s.Cell()))
	}
}
