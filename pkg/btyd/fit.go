package btyd

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize"
)

// Kind names a model of purchase counts.
type Kind string

// Models of purchase counts.
const (
	BGNBD     Kind = "bg_nbd"
	MBGNBD    Kind = "mbg_nbd"
	ParetoNBD Kind = "pareto_nbd"
)

// Kinds are all models of purchase counts.
var Kinds = []Kind{BGNBD, MBGNBD, ParetoNBD}

// ErrTooLittle says that the data can't tell the parameters.
var ErrTooLittle = errors.New("too little data to fit a model")

// RepeatMin is the least number of customers who bought again, and who have parameters estimated from them.
const RepeatMin = 10

// counting is a model of purchase counts.
type counting interface {
	names() []string
	starts(rate float64) [][]float64
	logLikelihood(d *Data, p, gradient []float64) float64
	// aliveSlope sets the derivatives of the logarithm of alive by the logarithms of the parameters.
	aliveSlope(p []float64, x, tx, t float64, slope []float64)
	alive(p []float64, x, tx, t float64) float64
	rate(p []float64, x, t, u float64) float64
}

func (k Kind) model() (counting, error) {
	switch k {
	case BGNBD:
		return beta{}, nil
	case MBGNBD:
		return beta{first: 1}, nil
	case ParetoNBD:
		return pareto{}, nil
	}
	return nil, fmt.Errorf("%q is no model; there are %v", string(k), Kinds)
}

// Parameter is one number of a model.
type Parameter struct {
	Name  string
	Value float64
	// StandardError by the curvature of the likelihood; NaN when it is flat.
	StandardError float64
	// Low and High bound the 95 % interval, symmetric on the logarithm: parameters are positive.
	Low, High float64
}

// Fit is a model with its parameters.
type Fit struct {
	Kind          Kind
	UnitDays      int
	Parameters    []Parameter
	LogLikelihood float64
	// Customers and Groups that it was fitted to.
	Customers, Groups int
	// Evaluations of the likelihood.
	Evaluations int
	// Converged says whether the gradient vanishes and the likelihood curves down in every direction.
	Converged bool
	// covariance of the logarithms of the parameters.
	covariance *mat.SymDense
	model      counting
}

// curving is a model that has a formula for the curvature of its likelihood.
type curving interface {
	// curvature is logLikelihood with the gradient and the second derivatives.
	curvature(d *Data, p, gradient []float64, second *mat.SymDense) float64
}

// groupsForStart is how many groups decide between starting points, and groupsForWay how many show the way from there to
// near the top: the rest is done on all of them.
const (
	groupsForStart = 1_000
	groupsForWay   = 30_000
)

// FitCounts fits a model of purchase counts by maximum likelihood.
func FitCounts(kind Kind, d *Data) (*Fit, error) {
	model, err := kind.model()
	if err != nil {
		return nil, err
	}
	if d.Repeat < RepeatMin {
		return nil, fmt.Errorf("%w: %d of %d customers bought again, %d must have", ErrTooLittle, d.Repeat, d.Customers, RepeatMin)
	}
	objective := func(data *Data) likelihood {
		l := likelihood{customers: float64(data.Customers), value: func(p, gradient []float64) float64 {
			return model.logLikelihood(data, p, gradient)
		}}
		if curving, ok := model.(curving); ok {
			l.curve = func(p, gradient []float64, second *mat.SymDense) float64 {
				return curving.curvature(data, p, gradient, second)
			}
		}
		return l
	}
	found, tried, err := ascend(d.Groups(), func(groupsMax int) likelihood { return objective(d.thinned(groupsMax)) }, model.starts(d.rate()))
	if err != nil {
		return nil, err
	}
	return &Fit{
		Kind: kind, UnitDays: int(d.unitDays), Parameters: found.parameters(model.names()), LogLikelihood: found.value,
		Customers: d.Customers, Groups: d.Groups(), Evaluations: tried + found.evaluations, Converged: found.converged,
		covariance: found.covariance, model: model,
	}, nil
}

// rate is the crude number of purchases per unit of time.
func (d *Data) rate() float64 {
	purchases, time := 0.0, 0.0
	for _, g := range d.groups {
		purchases += g.n * d.xs[g.x]
		time += g.n * d.times[g.t]
	}
	return max(purchases/time, 1e-9)
}

// ascend finds the maximum of a likelihood of so many groups: over few of them from each start, then over more, then over all.
func ascend(groups int, thinned func(groupsMax int) likelihood, starts [][]float64) (found *maximum, tried int, err error) {
	best, tried := search(thinned(groupsForStart), starts)
	if groups > 2*groupsForWay {
		if near, err := thinned(groupsForWay).climb(best); err == nil && near.converged {
			best, tried = near.logs, tried+near.evaluations
		}
	}
	found, err = thinned(groups).climb(best)
	return found, tried, err
}

// likelihood is what is maximized, over positive parameters.
type likelihood struct {
	customers float64
	value     func(p, gradient []float64) float64
	// curve is value with the second derivatives too; nil when there is no formula for them.
	curve func(p, gradient []float64, second *mat.SymDense) float64
}

// problem is the mean negative log-likelihood by the logarithms of the parameters. The optimizer asks for value and
// gradient at one place one after the other; both come from one pass over the data.
func (l likelihood) problem() optimize.Problem {
	var at, slope []float64
	var value float64
	compute := func(logs []float64) {
		if slices.Equal(at, logs) {
			return
		}
		at, slope = slices.Clone(logs), make([]float64, len(logs))
		p := exponents(logs)
		value = -l.value(p, slope) / l.customers
		for i := range slope {
			slope[i] *= -p[i] / l.customers
		}
	}
	return optimize.Problem{
		Func: func(logs []float64) float64 { compute(logs); return value },
		Grad: func(out, logs []float64) { compute(logs); copy(out, slope) },
	}
}

// search climbs from each start and returns the best place.
func search(l likelihood, starts [][]float64) (best []float64, evaluations int) {
	highest := math.Inf(1)
	for _, start := range starts {
		settings := &optimize.Settings{GradientThreshold: 1e-4, MajorIterations: 100}
		// The error says that it did not get to the top; where it got to counts all the same.
		result, _ := optimize.Minimize(l.problem(), logarithms(start), settings, &optimize.BFGS{})
		if result == nil || math.IsNaN(result.F) {
			continue
		}
		evaluations += result.FuncEvaluations
		if result.F < highest {
			highest, best = result.F, result.X
		}
	}
	if best == nil {
		best = logarithms(starts[0])
	}
	return best, evaluations
}
