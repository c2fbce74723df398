package logit

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// Options of a fit.
type Options struct {
	// Ridge is the penalty λ on half the squares of the standardised parameters; 0 is plain maximum likelihood.
	Ridge float64
	// EventsMin is the least number of rows with the event, and of rows without it; 0 means EventsMinDefault.
	EventsMin int
}

// EventsMinDefault is the least number of events and of others that a fit accepts when none is given.
const EventsMinDefault = 10

// Parameter is one number of a model.
type Parameter struct {
	// Name of the column; ConstantName for the constant.
	Name  string
	Value float64
	// StandardError by the curvature of the likelihood; 0 for a column that was left out.
	StandardError float64
	// Low and High bound the 95 % interval (Wald).
	Low, High float64
}

// ConstantName is the name of the parameter that belongs to no column.
const ConstantName = "constant"

// Fit is a model and how it was found.
type Fit struct {
	Model
	// Parameters for columns as they are; the constant comes first.
	Parameters []Parameter
	// LogLikelihood at the parameters, without the penalty of a ridge, and that of the share of events alone.
	LogLikelihood, NullLogLikelihood float64
	Rows, Events                     int
	// Left are columns that tell nothing: the same everywhere, or made of columns before them. Their parameters are 0.
	Left []string
	// Iterations over all rows.
	Iterations int
}

const (
	// iterationsMax bounds a climb: Newton's needs under ten where there is a maximum.
	iterationsMax = 50
	// halvingsMax bounds how often a step is halved.
	halvingsMax = 40
	// stepDone is the step, in standardised parameters, that is the last; what it misses is of the order of its square.
	stepDone = 1e-7
	// rowsForStart is how many rows decide where a long climb starts.
	rowsForStart = 64 * chunkRows
	// aliasMax is the part of a column that others don't tell, below which it tells nothing new.
	aliasMax = 1e-10
)

// Train fits a model by maximum likelihood with Newton's method, which for this model is that of iteratively reweighted
// least squares, with halved steps where a whole one leads down. Errors: ErrTooLittle, *SeparationError, ErrNoMaximum.
func Train(t *Table, o Options) (*Fit, error) {
	least := o.EventsMin
	if least == 0 {
		least = EventsMinDefault
	}
	if others := t.rows - t.events; t.events < max(least, 1) || others < max(least, 1) {
		return nil, fmt.Errorf("%w: %d events and %d others, of each %d must be", ErrTooLittle, t.events, others, least)
	}
	moments := t.moments()
	if o.Ridge == 0 {
		for j, m := range moments {
			if m.separates() {
				return nil, &SeparationError{Column: t.columns[j], Alone: true}
			}
		}
	}
	d := newDesign(t, moments, o.Ridge)
	d.leaveOutAliases()
	if len(d.columns)+1 >= t.rows && o.Ridge == 0 {
		return nil, fmt.Errorf("%w: %d rows for %d parameters", ErrTooLittle, t.rows, d.parameters())
	}
	found, err := d.climb(d.start())
	if err != nil {
		return nil, err
	}
	return d.fit(found)
}

// newDesign standardises all columns but those that are the same everywhere.
func newDesign(t *Table, moments []moment, ridge float64) design {
	d := design{table: t, ridge: ridge}
	for j, m := range moments {
		if deviation := m.deviation(); deviation > 0 {
			d.columns = append(d.columns, j)
			d.means, d.invScale = append(d.means, m.mean), append(d.invScale, 1/deviation)
		}
	}
	return d
}

// share is the place where all columns tell nothing.
func (d design) share() []float64 {
	b := make([]float64, d.parameters())
	b[0] = LogOdds(float64(d.table.events) / float64(d.table.rows))
	return b
}

// leaveOutAliases drops columns that are sums of multiples of those before, as a Cholesky factorisation of the
// correlations meets them (Golub and Van Loan, "Matrix Computations", 4th ed. 2013, section 4.2.9). With a ridge they may stay.
func (d *design) leaveOutAliases() {
	if d.ridge > 0 {
		return
	}
	s := d.at(d.share())
	n := d.parameters()
	a := s.symmetric()
	factor := make([][]float64, 0, n) // rows of the factor, one for each column kept
	var kept []int
	for j := range n {
		row := make([]float64, len(factor)+1)
		rest := a.At(j, j)
		for k, other := range kept {
			row[k] = (a.At(other, j) - floats.Dot(row[:k], factor[k][:k])) / factor[k][k]
			rest -= row[k] * row[k]
		}
		if rest <= aliasMax*a.At(j, j) {
			continue
		}
		row[len(factor)] = math.Sqrt(rest)
		factor, kept = append(factor, row), append(kept, j)
	}
	d.keep(kept)
}

// keep keeps only some parameters; the constant is always among them.
func (d *design) keep(parameters []int) {
	columns, means, scale := d.columns, d.means, d.invScale
	d.columns, d.means, d.invScale = nil, nil, nil
	for _, p := range parameters {
		if p > 0 {
			d.columns, d.means, d.invScale = append(d.columns, columns[p-1]), append(d.means, means[p-1]), append(d.invScale, scale[p-1])
		}
	}
}

// start is where the climb begins: for many rows where that over some of them ends.
func (d design) start() []float64 {
	n := d.table.rows / rowsForStart
	if n < 2 {
		return d.share()
	}
	some := d
	some.table = d.table.thinned(n)
	if some.table.events < EventsMinDefault || some.table.rows-some.table.events < EventsMinDefault {
		return d.share()
	}
	if some.ridge == 0 {
		some.ridge = 1 // a column may separate the few
	}
	found, err := some.climb(some.share())
	if err != nil {
		return d.share()
	}
	return found.b
}

// top is where a climb ended.
type top struct {
	b          []float64
	value      float64
	covariance *mat.SymDense
	iterations int
}

// climb is Newton's method.
func (d design) climb(b []float64) (top, error) {
	here := d.at(b)
	for i := 1; i <= iterationsMax; i++ {
		var factor mat.Cholesky
		if !factor.Factorize(here.symmetric()) {
			return top{}, d.failure(here, b)
		}
		step := mat.NewVecDense(len(b), nil)
		if err := factor.SolveVecTo(step, mat.NewVecDense(len(b), here.slope)); err != nil && !usable(step.RawVector().Data) {
			return top{}, d.failure(here, b)
		}
		move := step.RawVector().Data
		gain, size := floats.Dot(move, here.slope), floats.Norm(move, math.Inf(1))
		if size < stepDone {
			floats.Add(b, move)
			covariance := mat.NewSymDense(len(b), nil)
			if err := factor.InverseTo(covariance); err != nil && !usable(covariance.RawSymmetric().Data) {
				return top{}, d.failure(here, b)
			}
			return top{b: b, value: here.value + gain/2, covariance: covariance, iterations: i}, nil
		}
		if d.separated(gain, size) {
			return top{}, d.separation(move)
		}
		next, there, ok := d.step(b, move, here.value)
		if !ok {
			return top{}, d.failure(here, b)
		}
		b, here = next, there
	}
	return top{}, d.failure(here, b)
}

// step goes along move as far as it leads up.
func (d design) step(b, move []float64, value float64) (next []float64, there *sums, ok bool) {
	for scale, i := 1.0, 0; i < halvingsMax; scale, i = scale/2, i+1 {
		next = make([]float64, len(b))
		floats.AddScaledTo(next, b, scale, move)
		there = d.at(next)
		// Close to the top the last digits of the sum decide nothing.
		if there.value >= value-1e-12*math.Abs(value) {
			return next, there, true
		}
	}
	return nil, nil, false
}

// separated says that nothing is left to gain, yet the step stays wide: the top lies in the infinite.
func (d design) separated(gain, size float64) bool {
	return d.ridge == 0 && gain < 1e-7 && size > 1e-2
}

// failure says why a climb can't go on.
func (d design) failure(here *sums, b []float64) error {
	if d.ridge == 0 && here.value > -1e-6*float64(d.table.rows) && len(b) > 1 {
		return d.separation(b)
	}
	return ErrNoMaximum
}

// separation names the column whose parameter is the largest of those given, the constant aside.
func (d design) separation(of []float64) error {
	best := 0
	for k := range d.columns {
		if math.Abs(of[k+1]) > math.Abs(of[best+1]) {
			best = k
		}
	}
	return &SeparationError{Column: d.table.columns[d.columns[best]]}
}

// usable tells what a badly conditioned matrix gave: numbers that are inexact, or none.
func usable(values []float64) bool {
	return !floats.HasNaN(values) && !math.IsInf(floats.Norm(values, math.Inf(1)), 0)
}
