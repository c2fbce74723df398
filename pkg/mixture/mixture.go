// Package mixture finds groups of points that are alike: by k-means (Lloyd, "Least Squares Quantization in PCM", IEEE
// Transactions on Information Theory 28, 1982), begun as in Arthur and Vassilvitskii, "k-means++: The Advantages of Careful
// Seeding" (SODA 2007), or as a mixture of Gaussians by expectation and maximization (Dempster, Laird and Rubin, "Maximum
// Likelihood from Incomplete Data via the EM Algorithm", Journal of the Royal Statistical Society B 39, 1977). How many
// groups there are is told by the Bayesian information criterion (Schwarz, "Estimating the Dimension of a Model", Annals of
// Statistics 6, 1978).
//
// The same points, options and seed give the same result to the last bit, on any number of processors. Beside the points
// themselves a fit needs memory for some sums only: no table of points by groups is ever made.
package mixture

import (
	"errors"
	"fmt"
	"math"
	"sync"
)

// ErrTooFew says that there are fewer different points than groups.
var ErrTooFew = errors.New("too few different points")

// valueMax bounds the numbers of points: the squares of what is greater do not fit a float64.
const valueMax = 1e100

// Points are places in a space of one or more dimensions.
type Points struct {
	dims   int
	values []float64
}

// NewPoints takes numbers, those of one point after those of another, and keeps the slice. It refuses numbers that are not
// finite or beyond ±1e100, and a last point that is not whole.
func NewPoints(dims int, values []float64) (*Points, error) {
	switch {
	case dims < 1:
		return nil, fmt.Errorf("points of %d dimensions can't be grouped", dims)
	case len(values) == 0:
		return nil, fmt.Errorf("%w: there is none", ErrTooFew)
	case len(values)%dims != 0:
		return nil, fmt.Errorf("%d numbers are no whole points of %d dimensions", len(values), dims)
	}
	for i, v := range values {
		if math.IsNaN(v) || math.Abs(v) > valueMax {
			return nil, fmt.Errorf("point %d has %v in dimension %d: not a finite number within ±%v", i/dims, v, i%dims, valueMax)
		}
	}
	return &Points{dims: dims, values: values}, nil
}

// Len is the number of points.
func (p *Points) Len() int { return len(p.values) / p.dims }

// Dims is the number of dimensions.
func (p *Points) Dims() int { return p.dims }

// At is a point; what is written there changes it.
func (p *Points) At(i int) []float64 { return p.values[i*p.dims : (i+1)*p.dims : (i+1)*p.dims] }

// thinned keeps at most so many points, evenly spread: enough to tell good places to start from.
func (p *Points) thinned(pointsMax int) *Points {
	n := p.Len()
	if n <= pointsMax {
		return p
	}
	thin := &Points{dims: p.dims, values: make([]float64, 0, pointsMax*p.dims)}
	for i := range pointsMax {
		thin.values = append(thin.values, p.At(i*n/pointsMax)...)
	}
	return thin
}

const (
	// stretches into which points are cut at most; a number of processors must not decide it, or sums would hang on it.
	stretches = 16
	// stretchMin is the least number of points that is worth a stretch of its own.
	stretchMin = 1024
)

// stretched works on stretches of the points side by side, and hands over the results in the order of the stretches.
func stretched[S any](points int, work func(from, to int) S, add func(S)) {
	size := max(stretchMin, (points+stretches-1)/stretches)
	results := make([]S, (points+size-1)/size)
	var all sync.WaitGroup
	for i := range results {
		all.Go(func() { results[i] = work(i*size, min((i+1)*size, points)) })
	}
	all.Wait()
	for _, result := range results {
		add(result)
	}
}

// Options of a fit.
type Options struct {
	// Seed of the chance that picks where to start.
	Seed uint64
	// Starts that are tried, of which the best goes on; 0 means 10.
	Starts int
	// IterationsMax after which a fit ends, converged or not; 0 means 500.
	IterationsMax int
	// Tolerance ends a fit: for EM the least gain of mean log-likelihood by an iteration, for k-means the least relative
	// loss of squared distances. 0 means 1e-5.
	Tolerance float64
	// Floor is the share of a dimension's variance over all points that is added to its variance in each group, so that
	// equal points do not make a group infinitely dense; 0 means 1e-6.
	Floor float64
}

const (
	startsDefault     = 10
	iterationsDefault = 500
	toleranceDefault  = 1e-5
	floorDefault      = 1e-6
	// pointsForStart decide between places to start from.
	pointsForStart = 2_000
)

// complete fills in the defaults.
func (o Options) complete() Options {
	if o.Starts <= 0 {
		o.Starts = startsDefault
	}
	if o.IterationsMax <= 0 {
		o.IterationsMax = iterationsDefault
	}
	if o.Tolerance <= 0 {
		o.Tolerance = toleranceDefault
	}
	if o.Floor <= 0 {
		o.Floor = floorDefault
	}
	return o
}
