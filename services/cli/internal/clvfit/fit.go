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

// weekDays makes weeks of days.
const weekDays = 7

// Options of a fit.
type Options struct {
	// Model is a kind of model, or Best.
	Model string
	// CalibrationEnd is the last day that the model sees; the zero time is the last day of the file. What comes later is the holdout.
	CalibrationEnd time.Time
	// UnitDays is the number of days that are one unit of time: rates are per unit. Publications mostly use weeks.
	UnitDays int
	// HorizonWeeks that values look ahead.
	HorizonWeeks float64
	// DiscountYear is the continuous rate of discount per year.
	DiscountYear float64
}

// Result is what was learned from a file.
type Result struct {
	Rows, Customers, RepeatCustomers, LateCustomers int
	First, Last, CalibrationEnd                     time.Time
	// Frequencies are the customers by their repeat purchases; the last also holds those with more.
	Frequencies [btyd.Classes]int
	Choices     []btyd.Choice
	Counts      *btyd.Fit
	Spend       *btyd.SpendFit
	// SpendRefused says why there are no amounts.
	SpendRefused string
	// Backtest is nil without a holdout.
	Backtest     *btyd.Backtest
	HoldoutWeeks float64
	// Warnings say what not to rely on.
	Warnings []string

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
		r.Frequencies[min(c.X, btyd.Classes-1)]++
	}
	if err := r.fitCounts(); err != nil {
		return nil, err
	}
	if !p.Amounts {
		r.SpendRefused = "the file holds none"
		return r, nil
	}
	return r, r.fitSpend()
}

func (r *Result) fitCounts() error {
	histories := make([]btyd.History, len(r.customers))
	for i, c := range r.customers {
		histories[i] = c.History
	}
	kind, err := r.kind(histories)
	if err != nil {
		return err
	}
	data, err := btyd.NewData(histories, r.options.UnitDays)
	if err != nil {
		return err
	}
	if r.Counts, err = btyd.FitCounts(kind, data); err != nil {
		return err
	}
	r.Customers, r.RepeatCustomers = data.Customers, data.Repeat
	if !r.Counts.Converged {
		r.Warnings = append(r.Warnings, fmt.Sprintf("%s did not converge: the data do not tell all parameters", kind))
	}
	if r.CalibrationEnd.Before(r.Last) {
		r.HoldoutWeeks = r.Last.Sub(r.CalibrationEnd).Hours() / 24 / weekDays
		backtest := r.Counts.Backtest(r.customers, r.options.units(r.HoldoutWeeks))
		r.Backtest = &backtest
	}
	return nil
}

// kind is the model that was asked for, or the best. When no half of the customers is enough for any, the first may still do for all.
func (r *Result) kind(histories []btyd.History) (btyd.Kind, error) {
	if r.options.Model != Best {
		return btyd.Kind(r.options.Model), nil
	}
	var err error
	if r.Choices, err = btyd.Choose(btyd.Kinds, histories, r.half, r.options.UnitDays); err != nil {
		return "", err
	}
	if best := r.Choices[0]; best.Err == nil || errors.Is(best.Err, btyd.ErrTooLittle) {
		return best.Kind, nil
	}
	return "", r.Choices[0].Err
}

// units of time of some weeks.
func (o Options) units(weeks float64) float64 { return weeks * weekDays / float64(o.UnitDays) }

// ExpectedNew is the expected number of repeat purchases of a customer in the first weeks after the first purchase.
func (r *Result) ExpectedNew(weeks float64) float64 {
	return r.Counts.ExpectedNew(r.options.units(weeks))
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
	if err != nil {
		return err
	}
	r.Spend = fit
	if !fit.Converged {
		r.Warnings = append(r.Warnings, "gamma_gamma did not converge: the data do not tell all parameters")
	}
	if warning := fit.Warning(); warning != "" {
		r.Warnings = append(r.Warnings, warning)
	}
	return nil
}

// Prediction is what is expected of one customer.
type Prediction struct {
	ID string
	btyd.Customer
	Alive float64
	// Purchases expected within the horizon, discounted.
	Purchases btyd.Interval
	// Amount expected of a purchase, and Value of all of them; NaN without amounts, and where Gamma-Gamma has no mean.
	Amount, Value float64
}

// Predictions of all customers, by id.
func (r *Result) Predictions() []Prediction {
	predictions := make([]Prediction, len(r.customers))
	for i, c := range r.customers {
		p := Prediction{
			ID: r.ids[i], Customer: c, Alive: r.Counts.Alive(c.History),
			Purchases: r.Counts.ExpectedInterval(c.History, r.options.units(r.options.HorizonWeeks),
				r.options.DiscountYear*float64(r.options.UnitDays)/daysPerYear),
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
