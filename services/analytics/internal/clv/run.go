package clv

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"tandem.bank/pkg/btyd"
	"tandem.bank/services/analytics/internal/operation"
	"tandem.bank/services/analytics/internal/snapshot"
)

// Run is one computed snapshot.
type Run struct {
	snapshot.Head
	Settings
	// Purchases are days on which customers bought, summed over customers.
	Purchases    uint64
	BaseCurrency string
	// DataFrom and DataTo are the first and the last day with a purchase.
	DataFrom, DataTo time.Time
	// Historic and Predictive sum up the customers' values; Predicted customers have the latter.
	Historic, Predictive decimal.Decimal
	Predicted            uint64
	// PreviousID is the run of an earlier day with the same settings; zero when there is none.
	PreviousID   uuid.UUID
	PreviousAsOf time.Time
	// Steps of the computation; only in a run that was just computed.
	Steps []Step
}

// Step is a part of a computation.
type Step struct {
	Name string
	Took time.Duration
}

// timed notes how long a step took.
func (r *Run) timed(ctx context.Context, name string, work func() error) error {
	operation.Step(ctx, name)
	began := time.Now()
	err := work()
	r.Steps = append(r.Steps, Step{name, time.Since(began)})
	return err
}

// Purposes of models.
const (
	purposeForecast = "forecast"
	purposeHoldout  = "holdout"
)

// Model is an entry of the registry.
type Model struct {
	Purpose string
	// Group of customers that it was fitted to; empty for all.
	Group  string
	DataTo time.Time
	// Counts is nil when it was refused; Refusal says why.
	Counts      *btyd.Fit
	Refusal     string
	UnitDays    int
	Customers   int
	Repeat      int
	ExpectedNew float64
	Choices     []btyd.Choice
	Amounts     amounts
}

// amounts foretell what a purchase is worth: by Gamma-Gamma or, where the data do not tell its parameters, by the mean.
type amounts struct {
	fit     *btyd.SpendFit
	refusal string
	// mean of the customers' means; of all of whom one is known.
	mean float64
}

// History is what the models see of a customer.
type History struct {
	CustomerID uint64
	Group      string
	btyd.History
	MeanAmount, MarginShare, Historic float64
}

// Outlook is what is expected of a customer; the pointers are nil where no model could be fitted.
type Outlook struct {
	Alive, AliveLow, AliveHigh                *float64
	Expected, ExpectedLow, ExpectedHigh       *float64
	Amount                                    *float64
	Predictive, PredictiveLow, PredictiveHigh *decimal.Decimal
}

// Prediction is a customer's history with what is expected.
type Prediction struct {
	History
	// HistoricValue is Historic as money.
	HistoricValue decimal.Decimal
	Outlook
}

// Value is a customer's place in a run.
type Value struct {
	Prediction
	// PreviousHistoric and PreviousPredictive are those of the previous run.
	PreviousHistoric, PreviousPredictive *decimal.Decimal
	Place, HistoricPlace                 uint64
}

// Backtest is what models foretold of the holdout; an empty group is all customers.
type Backtest struct {
	Group          string
	CalibrationEnd time.Time
	HoldoutDays    int
	btyd.Backtest
}
