package clv

import (
	"fmt"
	"math"

	"github.com/shopspring/decimal"

	"tandem.bank/pkg/btyd"
)

// moneyMax bounds an amount that can be kept.
const moneyMax = 1e30

// predictor foretells customers with one model.
type predictor struct {
	forecast *btyd.Forecast
	amounts  amounts
	z        float64
}

// newPredictor returns nil for a model that could not be fitted.
func newPredictor(s Settings, m *Model) *predictor {
	if m == nil || m.Counts == nil {
		return nil
	}
	probability := s.spec.GetIntervalProbability()
	return &predictor{
		forecast: m.Counts.Forecast(s.units(s.spec.GetHorizonDays()), s.discount(), probability),
		amounts:  m.Amounts, z: btyd.NormalWidth(probability),
	}
}

// outlook is what is expected of a customer. What can't be told, as an interval without standard errors, stays nil.
func (p *predictor) outlook(h History) Outlook {
	if p == nil {
		return Outlook{}
	}
	of := p.forecast.Of(h.History)
	amount, deviation := p.amounts.expected(btyd.Spend{X: h.X, Mean: h.MeanAmount})
	value := btyd.Around(of.Purchases.Value*amount*h.MarginShare, p.z*math.Hypot(of.Deviation, deviation))
	low, high := min(value.Low, value.High), max(value.Low, value.High) // a margin may be negative
	return Outlook{
		Alive: number(of.Alive.Value), AliveLow: number(of.Alive.Low), AliveHigh: number(of.Alive.High),
		Expected: number(of.Purchases.Value), ExpectedLow: number(of.Purchases.Low), ExpectedHigh: number(of.Purchases.High),
		Amount: number(amount), Predictive: sum(value.Value), PredictiveLow: sum(low), PredictiveHigh: sum(high),
	}
}

// expected is the expected amount of a purchase, and the standard error of its logarithm.
func (a amounts) expected(s btyd.Spend) (amount, deviation float64) {
	if a.fit == nil {
		return a.mean, 0
	}
	amount, deviation = a.fit.Expected(s), a.fit.Deviation(s)
	if math.IsNaN(amount) {
		return a.mean, 0 // the model has no mean for somebody who never bought again
	}
	return amount, deviation
}

// number is nil for what is not known.
func number(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// sum is money, nil for what is not known or can't be money.
func sum(v float64) *decimal.Decimal {
	if math.IsNaN(v) || math.Abs(v) > moneyMax {
		return nil
	}
	if scaled := math.Round(v * moneyUnits); math.Abs(scaled) < exactMax {
		return new(decimal.New(int64(scaled), -moneyPlaces))
	}
	return new(decimal.NewFromFloat(v).Round(moneyPlaces))
}

const (
	// moneyPlaces of amounts in the warehouse, and how many of their least units make one.
	moneyPlaces, moneyUnits = 4, 1e4
	// exactMax bounds whole numbers that Float64 holds exactly.
	exactMax = 1 << 53
)

// predict adds what is expected to a history.
func (p *predictor) predict(h History) (Prediction, error) {
	historic := sum(h.Historic)
	if historic == nil {
		return Prediction{}, fmt.Errorf("clv: customer %d has a historic value of %g", h.CustomerID, h.Historic)
	}
	return Prediction{History: h, HistoricValue: *historic, Outlook: p.outlook(h)}, nil
}
