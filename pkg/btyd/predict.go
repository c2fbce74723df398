package btyd

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// values are the parameters as numbers.
func (f *Fit) values() []float64 {
	p := make([]float64, len(f.Parameters))
	for i, parameter := range f.Parameters {
		p[i] = parameter.Value
	}
	return p
}

// Alive is the probability that the customer has not left by the end of the watch.
func (f *Fit) Alive(h History) float64 {
	return f.model.alive(f.values(), float64(h.X), f.units(h.TX), f.units(h.T))
}

// Expected is the expected number of purchases within a number of units of time after the end of the watch.
func (f *Fit) Expected(h History, horizon float64) float64 {
	return f.Alive(h) * f.WhileAlive(h.X, h.T, horizon, 0)
}

// ExpectedNew is the expected number of repeat purchases of a customer within a number of units of time after the first.
func (f *Fit) ExpectedNew(horizon float64) float64 { return f.Expected(History{}, horizon) }

// WhileAlive is the expected number of purchases, discounted continuously by a rate per unit of time, within a horizon
// after T, of a customer who is there at T. It does not depend on t_x: a caller who has many customers keeps it by (x, T).
func (f *Fit) WhileAlive(x, t int, horizon, discount float64) float64 {
	return whileAlive(f.model, f.values(), float64(x), f.units(t), horizon, discount)
}

func whileAlive(model counting, p []float64, x, t, horizon, discount float64) float64 {
	return integrated(model, p, x, t, horizon, discount, horizonX, horizonW)
}

// integrated sums the rate of purchases over the horizon at the nodes of a quadrature.
func integrated(model counting, p []float64, x, t, horizon, discount float64, nodes, weights []float64) float64 {
	sum := 0.0
	for i, node := range nodes {
		u := horizon * node
		sum += weights[i] * math.Exp(-discount*u) * model.rate(p, x, t, u)
	}
	return sum * horizon
}

func (f *Fit) units(days int) float64 { return float64(days) / float64(f.UnitDays) }

// Interval is an estimate with the bounds of its 95 % confidence interval: how sure the parameters are, not how much a
// single customer may differ from what is expected.
type Interval struct{ Value, Low, High float64 }

// ExpectedInterval is Expected discounted, with the uncertainty of the parameters carried over by the delta method on the
// logarithm. Low and High are NaN when the fit has no standard errors.
func (f *Fit) ExpectedInterval(h History, horizon, discount float64) Interval {
	p, x, tx, t := f.values(), float64(h.X), f.units(h.TX), f.units(h.T)
	expected := func(p []float64) float64 {
		return f.model.alive(p, x, tx, t) * whileAlive(f.model, p, x, t, horizon, discount)
	}
	deviation := f.deviation(p, func(p []float64) float64 { return math.Log(expected(p)) })
	value := expected(p)
	return Interval{Value: value, Low: value * math.Exp(-normal95*deviation), High: value * math.Exp(normal95*deviation)}
}

// deviation is the standard error of a function of the parameters: gradient by central differences, times the covariance.
func (f *Fit) deviation(p []float64, of func([]float64) float64) float64 {
	if f.covariance == nil {
		return math.NaN()
	}
	slope := mat.NewVecDense(len(p), slopes(p, of))
	return math.Sqrt(mat.Inner(slope, f.covariance, slope))
}

// slopes are the derivatives of a function by the logarithms of the parameters.
func slopes(p []float64, of func([]float64) float64) []float64 {
	const width = 1e-4
	out := make([]float64, len(p))
	for i, v := range p {
		p[i] = v * math.Exp(width)
		above := of(p)
		p[i] = v * math.Exp(-width)
		out[i] = (above - of(p)) / (2 * width)
		p[i] = v
	}
	return out
}
