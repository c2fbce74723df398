package insight

import (
	_ "embed"
	"fmt"

	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
)

// segmentLengthMax of a segment's name.
const segmentLengthMax = 64

//go:embed apply_rfm.sql
var applyRfmSQL string

// rfmBatch is a bundle of RFM results.
type rfmBatch struct {
	header
	results  *eventsv1.RfmResults
	cells    []string
	segments []string
}

func (b *rfmBatch) customers() []int64 { return b.results.GetCustomerIds() }

func (b *rfmBatch) apply(s span, known []int64) (sql string, args []any) {
	r := b.results
	return applyRfmSQL, b.args(cut(r.GetCustomerIds(), s), cut(b.cells, s), cut(r.GetRecencyDays(), s), cut(r.GetFrequencies(), s),
		cut(r.GetMonetaryValues(), s), cut(b.segments, s), known)
}

func parseRfm(h header, r *eventsv1.RfmResults) (batch, error) {
	n := len(r.GetCustomerIds())
	b := &rfmBatch{header: h, results: r, cells: make([]string, n), segments: r.GetSegments()}
	if len(b.segments) == 0 { // the definition names none
		b.segments = make([]string, n)
	}
	err := checkColumns(r.GetCustomerIds(), column{"cells", len(r.GetCells())}, column{"recency_days", len(r.GetRecencyDays())},
		column{"frequencies", len(r.GetFrequencies())}, column{"monetary_values", len(r.GetMonetaryValues())}, column{"segments", len(b.segments)})
	if err != nil {
		return nil, err
	}
	for i, id := range r.GetCustomerIds() {
		if err := b.checkEntry(i); err != nil {
			return nil, fmt.Errorf("%w: customer %d: %w", errMalformed, id, err)
		}
		b.cells[i] = fmt.Sprintf("%03d", r.GetCells()[i])
	}
	return b, nil
}

func (b *rfmBatch) checkEntry(i int) error {
	r := b.results
	switch {
	case r.GetCells()[i] < 0 || r.GetCells()[i] > 999:
		return fmt.Errorf("cells: must have three digits, is %d", r.GetCells()[i])
	case r.GetRecencyDays()[i] < 0:
		return fmt.Errorf("recency_days: must not be negative, is %d", r.GetRecencyDays()[i])
	case r.GetFrequencies()[i] < 0:
		return fmt.Errorf("frequencies: must not be negative, is %d", r.GetFrequencies()[i])
	case len(b.segments[i]) > segmentLengthMax:
		return fmt.Errorf("segments: at most %d characters", segmentLengthMax)
	}
	return checkMonetary("monetary_values", r.GetMonetaryValues()[i])
}
