package clv

import (
	"context"
	_ "embed" // the SQL files
	"errors"
	"math"

	"github.com/shopspring/decimal"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/btyd"
	"tandem.bank/services/analytics/internal/snapshot"
	"tandem.bank/services/analytics/internal/warehouse"
)

//go:embed sql/one.sql
var oneSQL string

// Explanation is why a customer is worth what the run says.
type Explanation struct {
	Run   Run
	Value Value
	// WhileAlive are the purchases expected if it were certain that the customer is there; nil without a model.
	WhileAlive *float64
	// Model that foretold; nil without one.
	Model *Entry
	// Bridge and HistoricBridge are nil where there is nothing to compare with.
	Bridge         *Bridge
	HistoricBridge *HistoricBridge
}

// Bridge leads from the predictive value of the previous run to that of this one.
type Bridge struct {
	Previous                                             Run
	From, New, Ageing, Activity, Amount, ModelChange, To decimal.Decimal
}

// HistoricBridge leads from the historic value of the previous run to that of this one.
type HistoricBridge struct{ From, Ageing, Earned, To decimal.Decimal }

// one returns a customer's value; false when the customer is not in the run.
func (s store) one(ctx context.Context, r Run, customerID uint64) (value Value, found bool, err error) {
	q := warehouse.Query{SQL: oneSQL, Args: []any{
		named("run_id", r.ID.String()), named("as_of", day(r.AsOf)), named("customer_id", customerID),
	}}
	err = s.values(ctx, q, func(v Value) error {
		value, found = v, true
		return nil
	})
	return value, found, err
}

// serving returns the entry of the registry that served a group of customers in a run.
func (s store) serving(ctx context.Context, r Run, group string) (*Entry, error) {
	for _, name := range []string{group, all} {
		entry, found, err := s.model(ctx, r, purposeForecast, name)
		if err != nil {
			return nil, err
		}
		if found && entry.Kind != "" {
			return &entry, nil
		}
	}
	return nil, nil
}

// explain takes a value apart and compares it with the previous run's.
func (s *Service) explain(ctx context.Context, run Run, customerID uint64) (*Explanation, error) {
	value, found, err := s.store.one(ctx, run, customerID)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, apperr.NotFound("customer %d is not in run %s: nothing was bought that counts", customerID, run.ID)
	}
	e := &Explanation{Run: run, Value: value}
	if e.Model, err = s.store.serving(ctx, run, value.Group); err != nil {
		return nil, err
	}
	if e.Model != nil {
		model, err := e.Model.model()
		if err != nil {
			return nil, err
		}
		e.WhileAlive = number(model.Counts.WhileAlive(value.X, value.T, run.units(run.spec.GetHorizonDays()), run.discount()))
	}
	return e, s.compare(ctx, e)
}

// compare adds the bridges.
func (s *Service) compare(ctx context.Context, e *Explanation) error {
	if e.Run.PreviousAsOf.IsZero() || e.Run.PreviousID == [16]byte{} {
		return nil
	}
	previous, err := s.store.Run(ctx, e.Run.PreviousID)
	if errors.Is(err, snapshot.ErrNone) {
		return nil
	}
	if err != nil {
		return err
	}
	then, found, err := s.store.one(ctx, previous, e.Value.CustomerID)
	if err != nil {
		return err
	}
	if !found {
		e.HistoricBridge = historicBridge(e.Run, previous, decimal.Zero, e.Value.HistoricValue)
		if e.Value.Predictive != nil {
			e.Bridge = &Bridge{Previous: previous, New: *e.Value.Predictive, To: *e.Value.Predictive}
		}
		return nil
	}
	e.HistoricBridge = historicBridge(e.Run, previous, then.HistoricValue, e.Value.HistoricValue)
	entry, err := s.store.serving(ctx, previous, then.Group)
	if err != nil || entry == nil || then.Predictive == nil || e.Value.Predictive == nil {
		return err
	}
	model, err := entry.model()
	if err != nil {
		return err
	}
	e.Bridge, err = bridge(e.Run, previous, model, then, e.Value)
	return err
}

// historicBridge: age takes away what the time between the runs halves; the rest was earned, or corrected.
func historicBridge(run, previous Run, from, to decimal.Decimal) *HistoricBridge {
	days := run.AsOf.Sub(previous.AsOf).Hours() / 24
	factor := math.Exp2(-days / float64(run.spec.GetHalfLifeDays()))
	aged := from.Mul(decimal.NewFromFloat(factor)).Round(moneyPlaces)
	return &HistoricBridge{From: from, Ageing: aged.Sub(from), Earned: to.Sub(aged), To: to}
}

// bridge replaces one thing after the other, by the model of then until the last step. Each level is rounded as money
// before differences are taken, so that they add up exactly.
func bridge(run, previous Run, model *Model, then, now Value) (*Bridge, error) {
	forecast := model.Counts.Forecast(previous.units(previous.spec.GetHorizonDays()), previous.discount(), 0.95)
	amountOf := func(v Value) float64 {
		amount, _ := model.Amounts.expected(btyd.Spend{X: v.X, Mean: v.MeanAmount})
		return amount * v.MarginShare
	}
	waited := then.History.History
	waited.T += int(run.AsOf.Sub(previous.AsOf).Hours() / 24)
	amountThen := amountOf(then)
	active := forecast.Expected(now.History.History)
	levels := []decimal.Decimal{*then.Predictive}
	for _, level := range []float64{forecast.Expected(waited) * amountThen, active * amountThen, active * amountOf(now)} {
		money := sum(level)
		if money == nil {
			return nil, errors.New("clv: a step of the bridge has no value")
		}
		levels = append(levels, *money)
	}
	levels = append(levels, *now.Predictive)
	return &Bridge{
		Previous: previous, From: levels[0], Ageing: levels[1].Sub(levels[0]), Activity: levels[2].Sub(levels[1]),
		Amount: levels[3].Sub(levels[2]), ModelChange: levels[4].Sub(levels[3]), To: levels[4],
	}, nil
}
