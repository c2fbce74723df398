package btyd

import (
	"fmt"
	"math"
)

// Forecast foretells many customers over one horizon. What depends on x and T only is computed once and kept, slopes
// included, so that an interval costs about as much as an estimate. It is not for several goroutines.
type Forecast struct {
	fit               *Fit
	p                 []float64
	horizon, discount float64
	z                 float64
	kept              map[pair]purchases
	// slope is room for that of one customer.
	slope []float64
}

type pair struct{ x, t int }

// purchases of a customer who is there: how many, and the slopes of their logarithm by those of the parameters.
type purchases struct {
	value float64
	slope []float64
}

// keptMax bounds the memory of a forecast: some 100 MB.
const keptMax = 500_000

// Forecast prepares to foretell a number of units of time, discounted continuously by a rate per unit, with intervals that
// hold with a probability.
func (f *Fit) Forecast(horizon, discount, probability float64) *Forecast {
	return &Forecast{
		fit: f, p: f.values(), horizon: horizon, discount: discount, z: NormalWidth(probability), kept: map[pair]purchases{},
		slope: make([]float64, len(f.Parameters)),
	}
}

// NormalWidth is how many standard errors to each side an interval reaches that holds with a probability.
func NormalWidth(probability float64) float64 { return math.Sqrt2 * math.Erfinv(probability) }

// Outlook is what is expected of a customer.
type Outlook struct {
	// Alive is the probability of being there; its bounds are symmetric on the logit.
	Alive Interval
	// Purchases within the horizon, discounted; the bounds are symmetric on the logarithm, as those of ExpectedInterval.
	Purchases Interval
	// Deviation is the standard error of the logarithm of Purchases; NaN when the fit has no standard errors.
	Deviation float64
}

// Of is what is expected of a customer with a history.
func (o *Forecast) Of(h History) Outlook {
	x, tx, t := float64(h.X), o.fit.units(h.TX), o.fit.units(h.T)
	there := o.there(h.X, h.T)
	alive := o.fit.model.alive(o.p, x, tx, t)
	value := alive * there.value
	out := Outlook{
		Alive: Interval{alive, math.NaN(), math.NaN()}, Purchases: Interval{value, math.NaN(), math.NaN()}, Deviation: math.NaN(),
	}
	if o.fit.covariance == nil {
		return out
	}
	slope := o.slope
	clear(slope)
	if alive < 1 {
		o.fit.model.aliveSlope(o.p, x, tx, t, slope)
	}
	out.Alive = logitInterval(alive, o.z*o.fit.spread(slope))
	for i := range slope {
		slope[i] += there.slope[i]
	}
	out.Deviation = o.fit.spread(slope)
	out.Purchases = Around(value, o.z*out.Deviation)
	return out
}

// Expected is the number of purchases expected, without an interval.
func (o *Forecast) Expected(h History) float64 {
	return o.fit.model.alive(o.p, float64(h.X), o.fit.units(h.TX), o.fit.units(h.T)) * o.there(h.X, h.T).value
}

// there is what a customer with x and T buys who has not left.
func (o *Forecast) there(x, t int) purchases {
	key := pair{x, t}
	found, ok := o.kept[key]
	if ok {
		return found
	}
	units := o.fit.units(t)
	found.value = whileAlive(o.fit.model, o.p, float64(x), units, o.horizon, o.discount)
	if o.fit.covariance != nil {
		// A standard error needs fewer digits than an estimate.
		found.slope = slopes(o.p, func(p []float64) float64 {
			return math.Log(integrated(o.fit.model, p, float64(x), units, o.horizon, o.discount, panelX, panelW))
		})
	}
	if len(o.kept) >= keptMax {
		clear(o.kept)
	}
	o.kept[key] = found
	return found
}

// spread is the standard error of a function with these slopes.
func (f *Fit) spread(slope []float64) float64 {
	sum := 0.0
	for i, a := range slope {
		for j, b := range slope {
			sum += a * b * f.covariance.At(i, j)
		}
	}
	return math.Sqrt(max(sum, 0))
}

// Around is the interval about a value that reaches as far to each side on the logarithm.
func Around(value, reach float64) Interval {
	return Interval{Value: value, Low: value * math.Exp(-reach), High: value * math.Exp(reach)}
}

// logitInterval bounds a probability by the reach on its logarithm.
func logitInterval(p, reach float64) Interval {
	if p <= 0 || p >= 1 {
		return Interval{p, p, p}
	}
	width := math.Exp(reach / (1 - p)) // the logit moves by 1/(1−p) of the logarithm
	odds := p / (1 - p)
	return Interval{Value: p, Low: odds / (odds + width), High: 1 - 1/(1+odds*width)}
}

// Restore makes a fit of parameters that were kept; it has no standard errors.
func Restore(kind Kind, unitDays int, values []float64) (*Fit, error) {
	model, err := kind.model()
	if err != nil {
		return nil, err
	}
	parameters, err := restore(model.names(), values)
	if err != nil {
		return nil, err
	}
	if unitDays <= 0 {
		return nil, fmt.Errorf("a unit of %d days is not positive", unitDays)
	}
	return &Fit{Kind: kind, UnitDays: unitDays, Parameters: parameters, model: model}, nil
}

func restore(names []string, values []float64) ([]Parameter, error) {
	if len(values) != len(names) {
		return nil, fmt.Errorf("%d values for the parameters %v", len(values), names)
	}
	parameters := make([]Parameter, len(names))
	for i, v := range values {
		if !(v > 0) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("%s = %g is not positive", names[i], v)
		}
		parameters[i] = Parameter{Name: names[i], Value: v, StandardError: math.NaN(), Low: math.NaN(), High: math.NaN()}
	}
	return parameters, nil
}
