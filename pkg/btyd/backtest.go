package btyd

import (
	"math"
	"slices"
)

// classMax is the last frequency class: that many repeat purchases or more, as in the literature.
const classMax = 7

// Classes is the number of frequency classes.
const Classes = classMax + 1

// Class compares what was foretold with what came, for customers with equally many repeat purchases.
type Class struct {
	// X repeat purchases; in the last class also more.
	X         int
	Customers int
	// Actual and Expected are means per customer over the holdout.
	Actual, Expected float64
}

// binEdges are the lower edges of expected purchases.
var binEdges = []float64{0, 0.1, 0.25, 0.5, 1, 2, 5, 10}

// Bin compares what was foretold with what came, for customers of whom nearly as much was expected.
type Bin struct {
	// From is the least that was expected; the next bin's is the end.
	From      float64
	Customers int
	// Actual and Expected are means per customer over the holdout.
	Actual, Expected float64
}

// Errors of a forecast per customer.
type Errors struct {
	// Total that was foretold.
	Total float64
	// MeanAbsolute and RootMeanSquare error per customer.
	MeanAbsolute, RootMeanSquare float64
}

// Backtest is what a fit foretold of a time that it had not seen.
type Backtest struct {
	Customers int
	// Actual purchases in that time.
	Actual  float64
	Model   Errors
	Classes []Class
	// Calibration compares by what was foretold: of customers of whom as much was expected, how much came.
	Calibration []Bin
	// ActualAmount that came, and ExpectedAmount that was foretold; 0 where amounts are not looked at.
	ActualAmount, ExpectedAmount float64
	// SameRate foretells that each goes on as before: x/T times the holdout. SameMean gives everybody the mean of all rates. A
	// model that does not beat both is not worth its trouble.
	SameRate, SameMean Errors
}

// Backtest compares the forecast of a number of units of time with the later purchases of the customers.
func (f *Fit) Backtest(customers []Customer, horizon float64) Backtest {
	x, t := 0.0, 0.0
	for _, c := range customers {
		x, t = x+float64(c.X), t+f.units(c.T)
	}
	trial := NewTrial(ratio(x, t)*horizon, horizon, f.UnitDays)
	expected := f.memory(horizon)
	for _, c := range customers {
		trial.Add(Outcome{History: c.History, Later: c.Later, Customers: 1, Expected: expected(c.History)})
	}
	return trial.Result()
}

// Outcome is what was foretold of a number of equal customers, and what came.
type Outcome struct {
	History
	// Later purchases of each of them.
	Later     int
	Customers int
	// Expected purchases of each of them.
	Expected float64
	// LaterAmount and ExpectedAmount are sums over all of them; 0 where amounts are not looked at.
	LaterAmount, ExpectedAmount float64
}

// Trial gathers outcomes into a Backtest, in memory that does not grow.
type Trial struct {
	sameMean, horizon, unitDays float64
	result                      Backtest
	model, rate, mean           tally
}

// NewTrial begins a comparison over a number of units of days; sameMean purchases are what everybody is given by the
// simplest forecast.
func NewTrial(sameMean, horizon float64, unitDays int) *Trial {
	t := &Trial{sameMean: sameMean, horizon: horizon, unitDays: float64(unitDays)}
	t.result.Classes = make([]Class, Classes)
	for i := range t.result.Classes {
		t.result.Classes[i].X = i
	}
	t.result.Calibration = make([]Bin, len(binEdges))
	for i, edge := range binEdges {
		t.result.Calibration[i].From = edge
	}
	return t
}

// Add counts an outcome.
func (t *Trial) Add(o Outcome) {
	n, actual := float64(o.Customers), float64(o.Later)
	r := &t.result
	r.Customers += o.Customers
	r.Actual += n * actual
	r.ActualAmount += o.LaterAmount
	r.ExpectedAmount += o.ExpectedAmount
	t.model.add(n, o.Expected, actual)
	t.rate.add(n, ratio(float64(o.X), float64(o.T)/t.unitDays)*t.horizon, actual)
	t.mean.add(n, t.sameMean, actual)
	class := &r.Classes[min(o.X, classMax)]
	class.Customers += o.Customers
	class.Actual += n * actual
	class.Expected += n * o.Expected
	at := len(binEdges) - 1
	for at > 0 && o.Expected < binEdges[at] {
		at--
	}
	bin := &r.Calibration[at]
	bin.Customers += o.Customers
	bin.Actual += n * actual
	bin.Expected += n * o.Expected
}

// Result is the comparison so far.
func (t *Trial) Result() Backtest {
	b := t.result
	b.Classes, b.Calibration = slices.Clone(b.Classes), slices.Clone(b.Calibration)
	for i := range b.Classes {
		c := &b.Classes[i]
		c.Actual, c.Expected = ratio(c.Actual, float64(c.Customers)), ratio(c.Expected, float64(c.Customers))
	}
	for i := range b.Calibration {
		c := &b.Calibration[i]
		c.Actual, c.Expected = ratio(c.Actual, float64(c.Customers)), ratio(c.Expected, float64(c.Customers))
	}
	b.Model, b.SameRate, b.SameMean = t.model.errors(), t.rate.errors(), t.mean.errors()
	return b
}

// memory is Expected for many customers: what depends on x and T only is computed once.
func (f *Fit) memory(horizon float64) func(History) float64 {
	type key struct{ x, t int }
	known := map[key]float64{}
	return func(h History) float64 {
		k := key{h.X, h.T}
		value, ok := known[k]
		if !ok {
			value = f.WhileAlive(h.X, h.T, horizon, 0)
			known[k] = value
		}
		return f.Alive(h) * value
	}
}

type tally struct{ n, total, absolute, square float64 }

func (t *tally) add(n, foretold, actual float64) {
	t.n += n
	t.total += n * foretold
	t.absolute += n * math.Abs(foretold-actual)
	t.square += n * (foretold - actual) * (foretold - actual)
}

func (t *tally) errors() Errors {
	return Errors{Total: t.total, MeanAbsolute: ratio(t.absolute, t.n), RootMeanSquare: math.Sqrt(ratio(t.square, t.n))}
}

// ratio is 0 of nothing.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}
