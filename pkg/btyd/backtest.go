package btyd

import "math"

// classMax is the last frequency class: that many repeat purchases or more, as in the literature.
const classMax = 7

// Class compares what was foretold with what came, for customers with equally many repeat purchases.
type Class struct {
	// X repeat purchases; in the last class also more.
	X         int
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
	// SameRate foretells that each goes on as before: x/T times the holdout. SameMean gives everybody the mean of all rates. A
	// model that does not beat both is not worth its trouble.
	SameRate, SameMean Errors
}

// Backtest compares the forecast of a number of units of time with the later purchases of the customers.
func (f *Fit) Backtest(customers []Customer, horizon float64) Backtest {
	b := Backtest{Customers: len(customers), Classes: make([]Class, classMax+1)}
	var model, sameRate, sameMean tally
	x, t := 0.0, 0.0
	for _, c := range customers {
		x, t = x+float64(c.X), t+f.units(c.T)
	}
	expected := f.memory(horizon)
	for _, c := range customers {
		actual, foretold := float64(c.Later), expected(c.History)
		b.Actual += actual
		model.add(foretold, actual)
		sameRate.add(ratio(float64(c.X), f.units(c.T))*horizon, actual)
		sameMean.add(ratio(x, t)*horizon, actual)
		class := &b.Classes[min(c.X, classMax)]
		class.Customers++
		class.Actual += actual
		class.Expected += foretold
	}
	for i := range b.Classes {
		class := &b.Classes[i]
		class.X = i
		class.Actual, class.Expected = ratio(class.Actual, float64(class.Customers)), ratio(class.Expected, float64(class.Customers))
	}
	b.Model, b.SameRate, b.SameMean = model.errors(), sameRate.errors(), sameMean.errors()
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

func (t *tally) add(foretold, actual float64) {
	t.n++
	t.total += foretold
	t.absolute += math.Abs(foretold - actual)
	t.square += (foretold - actual) * (foretold - actual)
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
