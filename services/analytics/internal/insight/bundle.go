package insight

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/date"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
)

// BundleCustomers is how many customers one bundle holds: 40 to 90 KiB.
const BundleCustomers = 1000

// Run is what bundles tell of the run that they belong to.
type Run struct {
	ID           string
	AsOf         time.Time
	ComputedTime time.Time
	// Customers with a result.
	Customers uint64
}

// Results collect the rows of one bundle; a room has a type of them for its message.
type Results[Row any] interface {
	// Add appends the result of a customer.
	Add(row Row)
	// Into makes them what the bundle carries.
	Into(bundle *eventsv1.InsightBundle)
}

// Bundles packs the rows of a run and calls send for each bundle, one of which is held at a time. rows must come in the order
// of customer numbers, so that a run that is sent again has the same bundles; fresh makes empty results for the next one.
func Bundles[Row any](
	run Run, fresh func() Results[Row], rows func(yield func(Row) error) error, send func(*eventsv1.InsightBundle) error,
) error {
	count := int32((run.Customers + BundleCustomers - 1) / BundleCustomers) //nolint:gosec // customers / 1000
	index, held, results := int32(0), 0, fresh()
	flush := func() error {
		bundle := &eventsv1.InsightBundle{
			RunId: run.ID, AsOf: date.Text(run.AsOf), ComputedTime: timestamppb.New(run.ComputedTime), BundleIndex: index, BundleCount: count,
		}
		results.Into(bundle)
		index, held, results = index+1, 0, fresh()
		return send(bundle)
	}
	err := rows(func(row Row) error {
		results.Add(row)
		if held++; held == BundleCustomers {
			return flush()
		}
		return nil
	})
	if err != nil {
		return err
	}
	if held > 0 {
		if err := flush(); err != nil {
			return err
		}
	}
	if index != count {
		return fmt.Errorf("run %s has %d bundles of results instead of %d", run.ID, index, count)
	}
	return nil
}
