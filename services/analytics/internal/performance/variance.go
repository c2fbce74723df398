// Package performance compares what was planned with what came of it.
package performance

import "github.com/shopspring/decimal"

// moneyPlaces is the scale of all amounts.
const moneyPlaces = 4

// Figures are what was planned for one unit in one period, and what came of it.
type Figures struct {
	// Planned and Actual amounts in the currency of the plan.
	Planned, Actual decimal.Decimal
	// PlannedVolume and ActualVolume are how much was sold; HasVolume says that both are known and the planned one is not zero.
	PlannedVolume, ActualVolume decimal.Decimal
	HasVolume                   bool
	// Rate is the planned value of the currency in base currency, and ActualBase the actual amount in base currency at the rates
	// of its days; both count only when HasRate.
	Rate, ActualBase decimal.Decimal
	HasRate          bool
}

// Variance is what actual and planned differ by, in base currency when there is a rate.
type Variance struct {
	Planned, Actual, Total decimal.Decimal
	// Volume, Price and Currency are its parts; they add up to Total exactly. Valid only with a volume.
	Volume, Price, Currency decimal.Decimal
}

// Of splits the variance by the formulas of VarianceParts in the contract (Horngren, Datar, Rajan, "Cost Accounting", chapters 7
// and 14). Prices are never rounded: with V the planned volume and A the planned amount, the planned price is A/V. The volume part
// is rounded once; price and currency are what is left, so that nothing gets lost.
func Of(f Figures) Variance {
	v := Variance{Planned: f.Planned, Actual: f.Actual}
	inCurrency := f.Actual
	if f.HasRate {
		v.Planned, v.Actual = f.Planned.Mul(f.Rate).Round(moneyPlaces), f.ActualBase
		inCurrency = f.Actual.Mul(f.Rate).Round(moneyPlaces)
	}
	v.Total = v.Actual.Sub(v.Planned)
	if !f.HasVolume {
		return v
	}
	v.Currency = v.Actual.Sub(inCurrency)
	more := f.ActualVolume.Sub(f.PlannedVolume)
	v.Volume = more.Mul(v.Planned).DivRound(f.PlannedVolume, moneyPlaces)
	v.Price = v.Total.Sub(v.Volume).Sub(v.Currency)
	return v
}
