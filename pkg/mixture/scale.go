package mixture

import "math"

// Scale is what brings dimensions of different units to a mean of 0 and a standard deviation of 1.
type Scale struct {
	// Means and Deviations by dimension; a deviation of 0 is that of a dimension in which all points are equal.
	Means, Deviations []float64
}

// moments are the number, mean and sum of squared deviations of each dimension, by Welford's recurrence as extended to sets
// (Chan, Golub and LeVeque, "Algorithms for Computing the Sample Variance", The American Statistician 37, 1983): nothing
// cancels, whatever the mean is.
type moments struct {
	n             float64
	means, spread []float64
}

func newMoments(dims int) *moments {
	return &moments{means: make([]float64, dims), spread: make([]float64, dims)}
}

func (m *moments) take(point []float64) {
	m.n++
	for j, v := range point {
		delta := v - m.means[j]
		m.means[j] += delta / m.n
		m.spread[j] += delta * (v - m.means[j])
	}
}

func (m *moments) add(other *moments) {
	if other.n == 0 {
		return
	}
	n := m.n + other.n
	for j := range m.means {
		delta := other.means[j] - m.means[j]
		m.means[j] += delta * (other.n / n)
		m.spread[j] += other.spread[j] + delta*delta*(m.n*other.n/n)
	}
	m.n = n
}

// moments of all points.
func (p *Points) moments() *moments {
	total := newMoments(p.dims)
	stretched(p.Len(), func(from, to int) *moments {
		part := newMoments(p.dims)
		for i := from; i < to; i++ {
			part.take(p.At(i))
		}
		return part
	}, total.add)
	return total
}

// variances of the dimensions over all points; that of a dimension without any is 1.
func (p *Points) variances() []float64 {
	m := p.moments()
	out := make([]float64, p.dims)
	for j := range out {
		if out[j] = m.spread[j] / m.n; out[j] == 0 {
			out[j] = 1
		}
	}
	return out
}

// equalShare is how small, beside the mean, a deviation is that rounding alone makes.
const equalShare = 1e-14

// NewScale measures points.
func NewScale(p *Points) *Scale {
	m := p.moments()
	s := &Scale{Means: m.means, Deviations: make([]float64, p.dims)}
	for j := range s.Deviations {
		if deviation := math.Sqrt(m.spread[j] / m.n); deviation > equalShare*math.Abs(m.means[j]) {
			s.Deviations[j] = deviation
		}
	}
	return s
}
