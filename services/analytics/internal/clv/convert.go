package clv

import (
	"fmt"
	"math"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	moneypb "google.golang.org/genproto/googleapis/type/money"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/btyd"
	"tandem.bank/pkg/date"
	"tandem.bank/pkg/money"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
)

//nolint:gosec // counts come from int64s and stay below
func runToProto(r Run) (*analyticsv1.ClvRun, error) {
	w := wallet{currency: r.BaseCurrency}
	run := &analyticsv1.ClvRun{
		RunId: r.ID.String(), AsOf: date.Proto(r.AsOf), Settings: r.spec, Customers: int64(r.Customers), Purchases: int64(r.Purchases),
		DataFrom: date.Proto(r.DataFrom), DataTo: date.Proto(r.DataTo), Historic: w.money(r.Historic), Predictive: w.money(r.Predictive),
		Predicted: int64(r.Predicted), ComputedTime: timestamppb.New(r.ComputedTime),
	}
	if r.PreviousID != uuid.Nil {
		run.PreviousRunId = r.PreviousID.String()
	}
	if !r.NewestEventTime.IsZero() {
		run.NewestEventTime = timestamppb.New(r.NewestEventTime)
	}
	return run, w.err
}

//nolint:gosec // ids and counts come from int64s and stay below
func valueToProto(v Value, r Run) (*analyticsv1.ClvValue, error) {
	w := wallet{currency: r.BaseCurrency}
	value := &analyticsv1.ClvValue{
		CustomerId: int64(v.CustomerID), Group: v.Group, Repeats: int32(v.X), LastDays: int32(v.TX), AgeDays: int32(v.T),
		MeanAmount: v.MeanAmount, MarginShare: v.MarginShare, Historic: w.money(v.HistoricValue),
		PAlive: estimate(v.Alive, v.AliveLow, v.AliveHigh), ExpectedPurchases: estimate(v.Expected, v.ExpectedLow, v.ExpectedHigh),
		ExpectedAmount: v.Amount, PreviousHistoric: w.maybe(v.PreviousHistoric), PreviousPredictive: w.maybe(v.PreviousPredictive),
		Rank: int64(v.Place), HistoricRank: int64(v.HistoricPlace), Percentile: percentile(v.Place, r.Customers),
	}
	if v.Predictive != nil {
		value.Predictive = &analyticsv1.ClvMoney{Value: w.money(*v.Predictive), Low: w.maybe(v.PredictiveLow), High: w.maybe(v.PredictiveHigh)}
	}
	return value, w.err
}

// percentile is the percentage of the others who are placed lower; of nobody else it is 100.
func percentile(place, customers uint64) float64 {
	if customers <= 1 {
		return 100
	}
	return 100 * float64(customers-place) / float64(customers-1)
}

func estimate(value, low, high *float64) *analyticsv1.ClvEstimate {
	if value == nil {
		return nil
	}
	return &analyticsv1.ClvEstimate{Value: *value, Low: low, High: high}
}

// modelNames are the models by their kinds.
var modelNames = func() map[btyd.Kind]definitionv1.ClvModel {
	names := map[btyd.Kind]definitionv1.ClvModel{}
	for name, kind := range kinds {
		names[kind] = name
	}
	return names
}()

//nolint:gosec // counts
func modelToProto(e Entry, r Run) (*analyticsv1.ClvFittedModel, error) {
	m := &analyticsv1.ClvFittedModel{
		Purpose: analyticsv1.ClvModelPurpose_CLV_MODEL_PURPOSE_FORECAST, Group: e.Group, DataFrom: date.Proto(r.DataFrom),
		DataTo: date.Proto(e.DataTo), Model: modelNames[e.Kind], Refusal: e.Refusal, UnitDays: int32(e.UnitDays),
		Customers: int64(e.Customers), RepeatCustomers: int64(e.Repeat), Groups: int64(e.Groups), Parameters: e.Counts.toProto(),
		LogLikelihood: e.Counts.LogLikelihood, Evaluations: int64(e.Counts.Evaluations), Converged: e.Counts.Converged == 1,
		ExpectedNew: number(e.ExpectedNew), AmountRefusal: e.AmountRefusal, AmountMean: e.AmountMean,
	}
	if e.Purpose == purposeHoldout {
		m.Purpose = analyticsv1.ClvModelPurpose_CLV_MODEL_PURPOSE_HOLDOUT
	}
	for i, kind := range e.ChoiceKinds {
		m.Choices = append(m.Choices, &analyticsv1.ClvLikelihood{
			Model: modelNames[btyd.Kind(kind)], LogLikelihood: e.ChoiceLikelihoods[i], Error: e.ChoiceErrors[i],
		})
	}
	if len(e.Amounts.Names) > 0 {
		warning, err := e.amountWarning()
		if err != nil {
			return nil, err
		}
		m.Amounts = &analyticsv1.ClvAmountModel{
			Customers: int64(e.AmountCustomers), Parameters: e.Amounts.toProto(), LogLikelihood: e.Amounts.LogLikelihood,
			Evaluations: int64(e.Amounts.Evaluations), Converged: e.Amounts.Converged == 1, Warning: warning,
		}
	}
	return m, nil
}

func (e estimates) toProto() []*analyticsv1.ClvParameter {
	parameters := make([]*analyticsv1.ClvParameter, len(e.Names))
	for i, name := range e.Names {
		parameters[i] = &analyticsv1.ClvParameter{
			Name: name, Value: e.Values[i], StandardError: number(e.Errors[i]), Low: number(e.Lows[i]), High: number(e.Highs[i]),
		}
	}
	return parameters
}

//nolint:gosec // counts
func backtestToProto(b Backtest, r Run) (*analyticsv1.ClvBacktest, error) {
	w := wallet{currency: r.BaseCurrency}
	out := &analyticsv1.ClvBacktest{
		RunId: r.ID.String(), Group: b.Group, CalibrationEnd: date.Proto(b.CalibrationEnd), HoldoutDays: int32(b.HoldoutDays),
		Customers: int64(b.Customers), Actual: b.Actual, ActualAmount: w.number(b.ActualAmount), ExpectedAmount: w.number(b.ExpectedAmount),
	}
	for i, e := range []btyd.Errors{b.Model, b.SameRate, b.SameMean} {
		out.Forecasts = append(out.Forecasts, &analyticsv1.ClvForecastError{
			Name: forecastNames[i], Total: e.Total, MeanAbsoluteError: e.MeanAbsolute, RootMeanSquareError: e.RootMeanSquare,
		})
	}
	for _, c := range b.Classes {
		out.Classes = append(out.Classes, &analyticsv1.ClvBacktestClass{
			Repeats: int32(c.X), Customers: int64(c.Customers), Actual: c.Actual, Expected: c.Expected,
		})
	}
	for _, c := range b.Calibration {
		out.Calibration = append(out.Calibration, &analyticsv1.ClvCalibrationBin{
			ExpectedFrom: c.From, Customers: int64(c.Customers), Actual: c.Actual, Expected: c.Expected,
		})
	}
	return out, w.err
}

func explanationToProto(e *Explanation) (*analyticsv1.ExplainClvResponse, error) {
	value, err := valueToProto(e.Value, e.Run)
	if err != nil {
		return nil, err
	}
	answer := &analyticsv1.ExplainClvResponse{
		RunId: e.Run.ID.String(), AsOf: date.Proto(e.Run.AsOf), Value: value, PurchasesWhileAlive: e.WhileAlive,
	}
	if e.Model != nil {
		if answer.Model, err = modelToProto(*e.Model, e.Run); err != nil {
			return nil, err
		}
	}
	w := wallet{currency: e.Run.BaseCurrency}
	if b := e.Bridge; b != nil {
		answer.Bridge = &analyticsv1.ClvBridge{
			PreviousRunId: b.Previous.ID.String(), PreviousAsOf: date.Proto(b.Previous.AsOf), From: w.money(b.From), NewCustomer: w.money(b.New),
			Ageing: w.money(b.Ageing), Activity: w.money(b.Activity), Amount: w.money(b.Amount), ModelChange: w.money(b.ModelChange), To: w.money(b.To),
		}
	}
	if b := e.HistoricBridge; b != nil {
		answer.HistoricBridge = &analyticsv1.ClvHistoricBridge{
			From: w.money(b.From), Ageing: w.money(b.Ageing), Earned: w.money(b.Earned), To: w.money(b.To),
		}
	}
	return answer, w.err
}

//nolint:gosec // counts
func slicesToProto(r Run, points []point, goals map[goalKey]decimal.Decimal) (*analyticsv1.GetClvSlicesResponse, error) {
	answer := &analyticsv1.GetClvSlicesResponse{RunId: r.ID.String(), AsOf: date.Proto(r.AsOf)}
	if !r.NewestEventTime.IsZero() {
		answer.NewestEventTime = timestamppb.New(r.NewestEventTime)
	}
	w := wallet{currency: r.BaseCurrency}
	var last *analyticsv1.ClvSlice
	for _, p := range points {
		if last == nil || last.GetKey() != p.slice {
			last = &analyticsv1.ClvSlice{Key: p.slice, Name: p.name}
			answer.Slices = append(answer.Slices, last)
		}
		sum := &analyticsv1.ClvSlicePoint{
			RunId: p.moment.id.String(), AsOf: date.Proto(p.moment.asOf), Customers: int64(p.customers), Historic: w.money(p.historic),
			Predictive: w.money(p.predictive), ExpectedPurchases: p.expected, ExpectedAlive: p.alive, Share: part(p.predictive, p.moment.predictive),
		}
		if goal, planned := goals[goalKey{p.slice, day(p.moment.asOf)}]; planned {
			sum.Goal = w.money(goal)
			if !goal.IsZero() {
				sum.Attainment = new(part(p.predictive, goal))
			}
		}
		last.Points = append(last.Points, sum)
	}
	return answer, w.err
}

// part of a whole, 0 of nothing.
func part(value, of decimal.Decimal) float64 {
	if of.IsZero() {
		return 0
	}
	return value.InexactFloat64() / of.InexactFloat64()
}

// wallet renders amounts of one currency, and keeps the first error.
type wallet struct {
	currency string
	err      error
}

// money renders an amount, unless it is beyond what google.type.Money can hold.
func (w *wallet) money(value decimal.Decimal) *moneypb.Money {
	if value.Abs().GreaterThan(decimal.New(math.MaxInt64, 0)) {
		w.err = fmt.Errorf("amount %s %s does not fit google.type.Money", value, w.currency)
		return nil
	}
	return money.Proto(value, w.currency)
}

// maybe renders an amount that may be missing.
func (w *wallet) maybe(value *decimal.Decimal) *moneypb.Money {
	if value == nil {
		return nil
	}
	return w.money(*value)
}

// number renders a sum of floating-point numbers.
func (w *wallet) number(value float64) *moneypb.Money { return w.maybe(sum(value)) }
