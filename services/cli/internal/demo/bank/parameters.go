package bank

import "time"

// Parameters are the values of the purchase process; see the package comment for the model.
type Parameters struct {
	// R and Alpha shape the purchase rate of a customer: λ ~ Gamma(r, α), purchases a week, mean r/α.
	R     float64 `json:"r"`
	Alpha float64 `json:"alpha"`
	// A and B shape the probability of stopping after a repeat purchase: p ~ Beta(a, b), mean a/(a+b).
	A float64 `json:"a"`
	B float64 `json:"b"`
	// SpendP is the shape of one purchase's amount: Gamma(p, ν), in the base currency.
	SpendP float64 `json:"spend_p"`
	// SpendQ and SpendV shape ν of a customer: Gamma(q, v).
	SpendQ float64 `json:"spend_q"`
	SpendV float64 `json:"spend_v"`
	// FirstPurchaseWeeks is how long existing customers' first purchases spread, evenly, from the first day.
	FirstPurchaseWeeks float64 `json:"first_purchase_weeks"`
	// NewCustomerWeeks is the mean of the exponential time from joining to the first purchase.
	NewCustomerWeeks float64 `json:"new_customer_weeks"`
}

// Process is the purchase process of every generated bank. The mean rate is 0.16 a week, the mean probability of
// stopping 0.1, the mean purchase 640 CZK.
var Process = Parameters{
	R: 0.8, Alpha: 5, A: 0.8, B: 7.2,
	SpendP: 4, SpendQ: 4.5, SpendV: 560,
	FirstPurchaseWeeks: 26, NewCustomerWeeks: 3,
}

// MeanSpend is the expected amount of a purchase, p·v/(q−1).
func (p Parameters) MeanSpend() float64 {
	return p.SpendP * p.SpendV / (p.SpendQ - 1)
}

const (
	// Source names this generator in external keys.
	Source = "demo"
	// Currency is the bank's base currency.
	Currency = "CZK"
	// DefaultMonths is the length of a generated history.
	DefaultMonths = 24

	customersMax = 5_000_000
	monthsMax    = 120
)

// DefaultEnd is the last day of a generated history when none is given. It is a constant: what day it is today must
// not change the files.
var DefaultEnd = time.Date(2026, time.June, 30, 0, 0, 0, 0, time.UTC)

// Shares of customers and of what they have. They are about those of a middle-sized retail bank.
const (
	shareOrganisation = 0.08
	shareProspect     = 0.05
	shareLongGone     = 0.02 // left before the first day
	shareNew          = 0.15 // joined after the first day
	shareCard         = 0.84
	shareCardBusiness = 0.60
	shareLeaves       = 0.30 // of those who stopped buying
	shareSavings      = 0.36
	shareEuro         = 0.04
	shareEuroBusiness = 0.22
	shareSalaryHere   = 0.72
)
