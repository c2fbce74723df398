package mixture

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// KMeans cuts points into k groups, each point belonging to the nearest of k centres, the means of their groups, so that the
// sum of squared distances is small. The model that it returns is of the shape Spherical.
func KMeans(ctx context.Context, p *Points, k int, o Options) (*Model, error) {
	o = o.complete()
	c, err := start(ctx, p, k, o)
	if err != nil {
		return nil, err
	}
	iterations, converged, err := c.lloyd(ctx, p, o.IterationsMax, o.Tolerance)
	if err != nil {
		return nil, err
	}
	m := c.model(p, o.Floor)
	m.Iterations, m.Converged = iterations, converged
	return m, m.prepare()
}

// centres are the state of k-means.
type centres struct {
	at     [][]float64
	counts []int
	// inertia is the sum of squared distances to the nearest centre.
	inertia float64
}

// start tries several beginnings on few of the points, and returns the best.
func start(ctx context.Context, p *Points, k int, o Options) (*centres, error) {
	if k < 1 {
		return nil, fmt.Errorf("%d groups can't be made", k)
	}
	thin := p.forStart(k, o.Seed)
	var best *centres
	for i := range o.Starts {
		at, err := seeds(thin, k, chance(o.Seed, i))
		if err != nil {
			return nil, err
		}
		c := &centres{at: at}
		if _, _, err := c.lloyd(ctx, thin, o.IterationsMax, o.Tolerance); err != nil {
			return nil, err
		}
		if best == nil || c.inertia < best.inertia {
			best = c
		}
	}
	return best, nil
}

// forStart are few of the points, unless they are fewer places than groups: what is rare may be missing among them.
func (p *Points) forStart(k int, seed uint64) *Points {
	thin := p.thinned(pointsForStart)
	if _, err := seeds(thin, k, chance(seed, 0)); err != nil {
		return p
	}
	return thin
}

// chance is that of one start.
func chance(seed uint64, start int) *rand.Rand {
	return rand.New(rand.NewPCG(seed, uint64(start))) //nolint:gosec // repeatable on purpose, and a small positive number
}

// seeds picks k points, each with a probability that grows with its squared distance from those picked before.
func seeds(p *Points, k int, from *rand.Rand) ([][]float64, error) {
	at := make([][]float64, 0, k)
	distances := make([]float64, p.Len())
	for i := range distances {
		distances[i] = math.Inf(1)
	}
	next := from.IntN(p.Len())
	for {
		seed := append([]float64(nil), p.At(next)...)
		at = append(at, seed)
		total := 0.0
		for i := range distances {
			distances[i] = min(distances[i], distance2(p.At(i), seed))
			total += distances[i]
		}
		if len(at) == k {
			return at, nil
		}
		if total == 0 {
			return nil, fmt.Errorf("%w: %d for %d groups", ErrTooFew, len(at), k)
		}
		next = pick(distances, from.Float64()*total)
	}
}

// pick is the place where a running sum of weights passes a mark; it never is one without weight.
func pick(weights []float64, mark float64) int {
	last := 0
	for i, w := range weights {
		if w == 0 {
			continue
		}
		last = i
		if mark -= w; mark < 0 {
			return i
		}
	}
	return last
}

func distance2(a, b []float64) float64 {
	sum := 0.0
	for j, v := range a {
		sum += (v - b[j]) * (v - b[j])
	}
	return sum
}

// nearest is the centre closest to a point; of equally close ones the first.
func nearest(at [][]float64, point []float64) (index int, distance float64) {
	distance = math.Inf(1)
	for i, c := range at {
		if d := distance2(point, c); d < distance {
			index, distance = i, d
		}
	}
	return index, distance
}

// lloydSums are what one iteration of k-means adds up.
type lloydSums struct {
	counts   []int
	offsets  [][]float64 // from the centres, so that great numbers do not swallow small differences
	inertia  float64
	farthest int
	reach    float64
}

func (c *centres) sums(p *Points, from, to int) *lloydSums {
	s := &lloydSums{counts: make([]int, len(c.at)), offsets: matrix(len(c.at), p.dims), reach: -1}
	for i := from; i < to; i++ {
		point := p.At(i)
		g, distance := nearest(c.at, point)
		s.counts[g]++
		s.inertia += distance
		for j, v := range point {
			s.offsets[g][j] += v - c.at[g][j]
		}
		if distance > s.reach {
			s.farthest, s.reach = i, distance
		}
	}
	return s
}

func (s *lloydSums) add(other *lloydSums) {
	s.inertia += other.inertia
	for g := range s.counts {
		s.counts[g] += other.counts[g]
		floats.Add(s.offsets[g], other.offsets[g])
	}
	if other.reach > s.reach {
		s.farthest, s.reach = other.farthest, other.reach
	}
}

// lloyd moves the centres to the means of their groups until that gains nothing.
func (c *centres) lloyd(ctx context.Context, p *Points, iterationsMax int, tolerance float64) (iterations int, converged bool, err error) {
	before := math.Inf(1)
	for iterations = 1; iterations <= iterationsMax; iterations++ {
		if err := ctx.Err(); err != nil {
			return iterations, false, err
		}
		s := &lloydSums{counts: make([]int, len(c.at)), offsets: matrix(len(c.at), p.dims), reach: -1}
		stretched(p.Len(), func(from, to int) *lloydSums { return c.sums(p, from, to) }, s.add)
		c.counts, c.inertia = s.counts, s.inertia
		if before-s.inertia <= tolerance*s.inertia && !c.empty() {
			return iterations, true, nil
		}
		before = s.inertia
		c.move(p, s)
	}
	return iterationsMax, false, nil
}

// move goes to the means. A centre that lost all its points takes over the one that is farthest from its own.
func (c *centres) move(p *Points, s *lloydSums) {
	taken := false
	for g, n := range s.counts {
		switch {
		case n > 0:
			floats.AddScaled(c.at[g], 1/float64(n), s.offsets[g])
		case !taken:
			copy(c.at[g], p.At(s.farthest))
			taken = true
		}
	}
}

func (c *centres) empty() bool { return slices.Contains(c.counts, 0) }

// model states the groups as Gaussians with one variance in all directions, each point belonging to one of them wholly. The
// log-likelihood is that of Celeux and Govaert, "A Classification EM Algorithm for Clustering and Two Stochastic Versions"
// (Computational Statistics and Data Analysis 14, 1992): Σ n_g·ln(n_g/n) − n·d/2·(ln(2πσ²) + 1).
func (c *centres) model(p *Points, floor float64) *Model {
	n, d, k := float64(p.Len()), float64(p.dims), len(c.at)
	variance := c.inertia/(n*d) + floor*floats.Sum(p.variances())/d
	m := &Model{Shape: Spherical, Means: c.at, Weights: make([]float64, k), Covariances: [][]float64{{variance}}, Points: p.Len()}
	for g, count := range c.counts {
		m.Weights[g] = float64(count) / n
		if count > 0 {
			m.LogLikelihood += float64(count) * math.Log(m.Weights[g])
		}
	}
	m.LogLikelihood -= n * d / 2 * (math.Log(2*math.Pi*variance) + c.inertia/(n*d*variance))
	m.Parameters = Spherical.parameters(k, p.dims)
	return m
}

func matrix(rows, columns int) [][]float64 {
	all := make([]float64, rows*columns)
	out := make([][]float64, rows)
	for i := range out {
		out[i] = all[i*columns : (i+1)*columns]
	}
	return out
}
