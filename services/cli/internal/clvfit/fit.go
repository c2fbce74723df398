package clvfit

import (
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"tandem.bank/pkg/btyd"
)

// Best lets held-out likelihood choose the model.
const Best = "best"

// unitDays makes weeks of days: the unit of the published parameters.
const unitDays = 7

// Options of a fit.
type Options struct {
	// Model is a kind of model, or Best.
	Model string
	// CalibrationEnd is the last day that the model sees; the zero time is the last day of the file. What comes later is the holdout.
	CalibrationEnd time.Time
	// HorizonWeeks that values look ahead.
	HorizonWeeks float64
	// DiscountYear is the continuous rate of discount per year.
	DiscountYear float64
}

// Result is what was learned from a file.
type Result struct {
	Rows, Customers, RepeatCustomers, LateCustomers int
	First, Last, CalibrationEnd                     time.Time
	Choices                                         []btyd.Choice
	Counts                                          *btyd.Fit
	Spend                                           *btyd.SpendFit
	// SpendRefused says why there are no amounts.
	SpendRefused string
	// Backtest is nil without a holdout.
	Backtest     *btyd.Backtest
	HoldoutWeeks float64

	options   Options
	ids       []string
	customers []btyd.Customer
}

// Fit fits the models.
func Fit(p *Purchases, options Options) (*Result, error) {
	r := &Result{Rows: p.Rows, First: p.First, Last: p.Last, CalibrationEnd: options.CalibrationEnd, options: options}
	if r.CalibrationEnd.IsZero() {
		r.CalibrationEnd = p.Last
	}
	if r.CalibrationEnd.Before(p.First) || r.CalibrationEnd.After(p.Last) {
		return nil, fmt.Errorf("the calibration must end within the file's days, %s to %s", p.First.Format(time.DateOnly), p.Last.Format(time.DateOnly))
	}
	for _, id := range p.IDs {
		c, ok := btyd.Summarize(p.Of[id], r.CalibrationEnd)
		if !ok {
			r.LateCustomers++
			continue
		}
		r.ids, r.customers = append(r.ids, id), append(r.customers, c)
	}
	if err := r.fitCounts(); err != nil {
		return nil, err
	}
	return r, r.fitSpend()
}

func (r *Result) fitCounts() error {
	histories := make([]btyd.History, len(r.customers))
	for i, c := range r.customers {
		histories[i] = c.History
	}
	kind := btyd.Kind(r.options.Model)
	if r.options.Model == Best {
		var err error
		if r.Choices, err = btyd.Choose(btyd.Kinds, histories, r.half, unitDays); err != nil {
			return err
		}
		if r.Choices[0].Err != nil {
			return r.Choices[0].Err
		}
		kind = r.Choices[0].Kind
	}
	data, err := btyd.NewData(histories, unitDays)
	if err != nil {
		return err
	}
	if r.Counts, err = btyd.FitCounts(kind, data); err != nil {
		return err
	}
	r.Customers, r.RepeatCustomers = data.Customers, data.Repeat
	if r.CalibrationEnd.Before(r.Last) {
		r.HoldoutWeeks = r.Last.Sub(r.CalibrationEnd).Hours() / 24 / unitDays
		backtest := r.Counts.Backtest(r.customers, r.HoldoutWeeks)
		r.Backtest = &backtest
	}
	return nil
}

// half puts a customer into one of two halves by its id: the same one in every run.
func (r *Result) half(i int) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(r.ids[i])) // a hash takes everything
	return int(h.Sum32() >> 16)
}

func (r *Result) fitSpend() error {
	spends := make([]btyd.Spend, len(r.customers))
	for i, c := range r.customers {
		spends[i] = btyd.Spend{X: c.X, Mean: c.Mean}
	}
	fit, err := btyd.FitSpend(spends)
	if errors.Is(err, btyd.ErrTooLittle) {
		r.SpendRefused = err.Error()
		return nil
	}
	r.Spend = fit
	return err
}

// Prediction is what is expected of one customer.
type Prediction struct {
	ID string
	btyd.Customer
	Alive float64
	// Purchases expected within the horizon, discounted.
	Purchases btyd.Interval
	// Amount expected of a purchase, and Value of all of them; NaN without amounts.
	Amount, Value float64
}

// Predictions of all customers, by id.
func (r *Result) Predictions() []Prediction {
	predictions := make([]Prediction, len(r.customers))
	for i, c := range r.customers {
		p := Prediction{
			ID: r.ids[i], Customer: c, Alive: r.Counts.Alive(c.History),
			Purchases: r.Counts.ExpectedInterval(c.History, r.options.HorizonWeeks, r.options.DiscountYear*unitDays/daysPerYear),
		}
		if r.Spend != nil {
			p.Amount = r.Spend.Expected(btyd.Spend{X: c.X, Mean: c.Mean})
			p.Value = p.Amount * p.Purchases.Value
		}
		predictions[i] = p
	}
	slices.SortFunc(predictions, func(a, b Prediction) int { return strings.Compare(a.ID, b.ID) })
	return predictions
}

// daysPerYear of the Julian year.
const daysPerYear = 365.25
