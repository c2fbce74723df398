package clv

import (
	"math"

	"github.com/shopspring/decimal"

	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/insight"
)

// results collect the values of one bundle.
type results struct{ message *eventsv1.ClvResults }

func newResults(run Run) insight.Results[Value] {
	return &results{&eventsv1.ClvResults{
		CustomerIds: make([]int64, 0, insight.BundleCustomers), BaseCurrency: run.BaseCurrency, HorizonDays: run.spec.GetHorizonDays(),
		Customers: int64(run.Customers), //nolint:gosec // a count
	}}
}

// Into makes the values what a bundle carries.
func (r *results) Into(b *eventsv1.InsightBundle) {
	b.Results = &eventsv1.InsightBundle_Clv{Clv: r.message}
}

// Add appends a value.
//
//nolint:gosec // ids and places come from int64s and stay below
func (r *results) Add(v Value) {
	m := r.message
	m.CustomerIds = append(m.CustomerIds, int64(v.CustomerID))
	m.HistoricValues = append(m.HistoricValues, v.HistoricValue.String())
	m.PredictiveValues = append(m.PredictiveValues, text(v.Predictive))
	m.PredictiveLows = append(m.PredictiveLows, text(v.PredictiveLow))
	m.PredictiveHighs = append(m.PredictiveHighs, text(v.PredictiveHigh))
	m.PreviousValues = append(m.PreviousValues, text(v.PreviousPredictive))
	m.PAlive = append(m.PAlive, orNaN(v.Alive))
	m.ExpectedPurchases = append(m.ExpectedPurchases, orNaN(v.Expected))
	m.Ranks = append(m.Ranks, int64(v.Place))
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
