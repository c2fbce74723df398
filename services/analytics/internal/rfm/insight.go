package rfm

import (
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/insight"
)

// results collect the scores of one bundle.
type results struct {
	run     Run
	message *eventsv1.RfmResults
}

func newResults(run Run) insight.Results[Score] {
	return &results{run: run, message: &eventsv1.RfmResults{
		CustomerIds: make([]int64, 0, insight.BundleCustomers), Cells: make([]int32, 0, insight.BundleCustomers),
		RecencyDays: make([]int32, 0, insight.BundleCustomers), Frequencies: make([]int64, 0, insight.BundleCustomers),
		MonetaryValues: make([]string, 0, insight.BundleCustomers), BaseCurrency: run.BaseCurrency,
	}}
}

// Into makes the scores what a bundle carries.
func (r *results) Into(b *eventsv1.InsightBundle) {
	b.Results = &eventsv1.InsightBundle_Rfm{Rfm: r.message}
}

// Add appends a score.
//
//nolint:gosec // ids and counts come from int64s and stay below
func (r *results) Add(s Score) {
	m := r.message
	m.CustomerIds = append(m.CustomerIds, int64(s.CustomerID))
	m.Cells = append(m.Cells, s.Cell())
	m.RecencyDays = append(m.RecencyDays, int32(s.RecencyDays))
	m.Frequencies = append(m.Frequencies, int64(s.Frequency))
	m.MonetaryValues = append(m.MonetaryValues, s.Monetary.String())
	if len(r.run.Segments) > 0 {
		m.Segments = append(m.Segments, r.run.segment(s.Cell()))
	}
}
