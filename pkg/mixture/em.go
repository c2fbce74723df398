package mixture

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/floats"
)

// EM fits a mixture of k Gaussians by maximum likelihood, of the shape Diagonal or Full. Each start begins with the groups
// that k-means finds; the best on few points goes on with all of them.
func EM(ctx context.Context, p *Points, k int, shape Shape, o Options) (*Model, error) {
	if shape != Diagonal && shape != Full {
		return nil, fmt.Errorf("%q is no shape that EM fits", shape)
	}
	o = o.complete()
	if k < 1 {
		return nil, fmt.Errorf("%d groups can't be made", k)
	}
	thin := p.forStart(k, o.Seed)
	var best *Model
	for i := range o.Starts {
		m, err := begin(ctx, thin, k, shape, i, o)
		if err != nil {
			return nil, err
		}
		if best == nil || m.LogLikelihood > best.LogLikelihood {
			best = m
		}
	}
	return best, best.climb(ctx, p, o)
}

const (
	// roughly is how many iterations of k-means a start of EM begins with.
	roughly = 20
	// startIterations and startTolerance, a multiple, are enough to tell starts apart.
	startIterations = 100
	startTolerance  = 10
)

// begin is the mixture that one start leads to.
func begin(ctx context.Context, p *Points, k int, shape Shape, start int, o Options) (*Model, error) {
	at, err := seeds(p, k, chance(o.Seed, start))
	if err != nil {
		return nil, err
	}
	c := &centres{at: at}
	if _, _, err := c.lloyd(ctx, p, roughly, o.Tolerance); err != nil {
		return nil, err
	}
	m := &Model{Shape: shape, Means: c.at, Weights: make([]float64, k), Covariances: matrix(k, shape.numbers(p.dims))}
	hard := func(point, shares []float64) float64 {
		clear(shares)
		g, _ := nearest(c.at, point)
		shares[g] = 1
		return 0
	}
	if err := m.maximize(p, m.expect(p, func() func(point, shares []float64) float64 { return hard }), o.floors(p)); err != nil {
		return nil, err
	}
	o.IterationsMax, o.Tolerance = min(o.IterationsMax, startIterations), startTolerance*o.Tolerance
	return m, m.climb(ctx, p, o)
}

// floors are the least variances, by dimension.
func (o Options) floors(p *Points) []float64 {
	floors := p.variances()
	floats.Scale(o.Floor, floors)
	return floors
}

// climb repeats expectation and maximization until the likelihood rests.
func (m *Model) climb(ctx context.Context, p *Points, o Options) error {
	floors := o.floors(p)
	before := math.Inf(-1)
	m.Converged, m.Points, m.Parameters = false, p.Len(), m.Shape.parameters(len(m.Means), p.dims)
	for m.Iterations = 0; ; m.Iterations++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		sums := m.expect(p, m.soft)
		m.LogLikelihood = sums.logLikelihood
		mean := sums.logLikelihood / float64(p.Len())
		m.Converged = mean-before <= o.Tolerance
		if m.Converged || m.Iterations == o.IterationsMax {
			return nil
		}
		before = mean
		if err := m.maximize(p, sums, floors); err != nil {
			return err
		}
	}
}

// soft gives points their probabilities under the model.
func (m *Model) soft() func(point, shares []float64) float64 {
	scorer := m.Scorer()
	return func(point, shares []float64) float64 {
		_, logDensity := scorer.Score(point)
		copy(shares, scorer.Probabilities)
		return logDensity
	}
}

// emSums are what one expectation adds up, counted from the means as they were: great numbers do not swallow small
// differences that way.
type emSums struct {
	weights       []float64
	offsets       [][]float64
	squares       [][]float64
	logLikelihood float64
}

func (m *Model) newSums(dims int) *emSums {
	k := len(m.Means)
	return &emSums{weights: make([]float64, k), offsets: matrix(k, dims), squares: matrix(k, m.Shape.numbers(dims))}
}

func (s *emSums) add(other *emSums) {
	s.logLikelihood += other.logLikelihood
	floats.Add(s.weights, other.weights)
	for g := range s.offsets {
		floats.Add(s.offsets[g], other.offsets[g])
		floats.Add(s.squares[g], other.squares[g])
	}
}

// shareMin is the least share of a point in a group that counts: what is less is lost in the rounding of the sums.
const shareMin = 1e-16

// expect sums up the points by their shares in the groups. newShares returns a function that computes them for a point, with
// the logarithm of the density; each stretch of points has one of its own.
func (m *Model) expect(p *Points, newShares func() func(point, shares []float64) float64) *emSums {
	total := m.newSums(p.dims)
	stretched(p.Len(), func(from, to int) *emSums {
		part, of := m.newSums(p.dims), newShares()
		shares, delta := make([]float64, len(m.Means)), make([]float64, p.dims)
		for i := from; i < to; i++ {
			point := p.At(i)
			part.logLikelihood += of(point, shares)
			for g, share := range shares {
				if share < shareMin {
					continue
				}
				part.weights[g] += share
				floats.SubTo(delta, point, m.Means[g])
				floats.AddScaled(part.offsets[g], share, delta)
				m.square(part.squares[g], share, delta)
			}
		}
		return part
	}, total.add)
	return total
}

// square adds the squares and, for Full, the products above the diagonal.
func (m *Model) square(to []float64, share float64, delta []float64) {
	if m.Shape == Diagonal {
		for j, v := range delta {
			to[j] += share * v * v
		}
		return
	}
	d := len(delta)
	blas64.Syr(share, blas64.Vector{N: d, Inc: 1, Data: delta}, blas64.Symmetric{N: d, Stride: d, Data: to, Uplo: blas.Upper})
}

// maximize moves the model to the means and covariances of its groups. A group that lost all points stays where it was,
// with no share.
func (m *Model) maximize(p *Points, s *emSums, floors []float64) error {
	for g, weight := range s.weights {
		m.Weights[g] = weight / float64(p.Len())
		if weight <= shareMin {
			m.Weights[g] = 0
			m.covariance(g, s.squares[g], nil, 1, floors)
			continue
		}
		floats.Scale(1/weight, s.offsets[g])
		m.covariance(g, s.squares[g], s.offsets[g], weight, floors)
		floats.Add(m.Means[g], s.offsets[g])
	}
	return m.prepare()
}

// covariance is the mean square less the square of the mean, with the floor on the diagonal.
func (m *Model) covariance(g int, squares, offset []float64, weight float64, floors []float64) {
	d, to := len(floors), m.Covariances[g]
	if m.Shape == Diagonal {
		for j := range to {
			to[j] = variance(squares[j], offset, j, weight) + floors[j]
		}
		return
	}
	for i := range d {
		to[i*d+i] = variance(squares[i*d+i], offset, i, weight) + floors[i]
		for j := i + 1; j < d; j++ {
			together := squares[i*d+j] / weight
			if offset != nil {
				together -= offset[i] * offset[j]
			}
			to[i*d+j], to[j*d+i] = together, together
		}
	}
}

// variance never is negative; offset is nil where nothing moved.
func variance(square float64, offset []float64, j int, weight float64) float64 {
	v := square / weight
	if offset != nil {
		v -= offset[j] * offset[j]
	}
	return max(v, 0)
}
