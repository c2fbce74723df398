package mixture

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// Shape says how the Gaussians of a model may differ.
type Shape string

// Shapes of groups.
const (
	// Spherical: one variance for all groups and directions. It is the model of k-means, which knows no shares: a point's
	// probabilities hang on its distances alone.
	Spherical Shape = "spherical"
	// Diagonal: each group has a variance of its own in each dimension.
	Diagonal Shape = "diagonal"
	// Full: within each group dimensions may also go together.
	Full Shape = "full"
)

// parameters is how many numbers are free: shares, means and variances.
func (s Shape) parameters(k, dims int) int {
	free := k - 1 + k*dims
	switch s {
	case Spherical:
		return free + 1
	case Diagonal:
		return free + k*dims
	case Full:
	}
	return free + k*dims*(dims+1)/2
}

// numbers is how many a group's covariance has.
func (s Shape) numbers(dims int) int {
	switch s {
	case Spherical:
		return 1
	case Diagonal:
		return dims
	case Full:
	}
	return dims * dims
}

// Model is a mixture of Gaussians.
type Model struct {
	Shape Shape
	// Weights are the shares of the groups; they add up to 1.
	Weights []float64
	// Means of the groups.
	Means [][]float64
	// Covariances of the groups: the variances of the dimensions (Diagonal), the whole matrix row by row (Full), or one
	// variance for all groups (Spherical).
	Covariances [][]float64
	// Points that it was fitted to, and their log-likelihood.
	Points        int
	LogLikelihood float64
	// Parameters is how many of its numbers are free.
	Parameters int
	// Iterations that the fit took, and whether it came to rest.
	Iterations int
	Converged  bool

	constants []float64           // of the log-densities
	factors   []blas64.Triangular // lower, of full covariances
}

// NewModel restores a model from its numbers, for example those that were stored.
func NewModel(shape Shape, weights []float64, means, covariances [][]float64) (*Model, error) {
	m := &Model{Shape: shape, Weights: weights, Means: means, Covariances: covariances}
	if err := m.check(); err != nil {
		return nil, err
	}
	m.Parameters = shape.parameters(len(means), len(means[0]))
	return m, m.prepare()
}

var errShape = errors.New("the numbers of the model do not fit together")

func (m *Model) check() error {
	k, matrices := len(m.Means), len(m.Means)
	switch m.Shape {
	case Spherical:
		matrices = 1
	case Diagonal, Full:
	default:
		return fmt.Errorf("%q is no shape of a model", m.Shape)
	}
	if k == 0 || len(m.Means[0]) == 0 || len(m.Weights) != k || len(m.Covariances) != matrices {
		return errShape
	}
	for _, mean := range m.Means {
		if len(mean) != len(m.Means[0]) {
			return errShape
		}
	}
	for _, c := range m.Covariances {
		if len(c) != m.Shape.numbers(len(m.Means[0])) {
			return errShape
		}
	}
	return nil
}

var errFlat = errors.New("a covariance is not positive")

// prepare computes what densities need: constants and, of full covariances, the Cholesky factors.
func (m *Model) prepare() error {
	d := len(m.Means[0])
	m.constants = make([]float64, len(m.Means))
	m.factors = make([]blas64.Triangular, len(m.Means))
	for g := range m.Means {
		logDeterminant, err := m.decompose(g, d)
		if err != nil {
			return err
		}
		m.constants[g] = -(float64(d)*math.Log(2*math.Pi) + logDeterminant) / 2
		if m.Shape != Spherical {
			m.constants[g] += math.Log(m.Weights[g])
		}
	}
	return nil
}

// decompose is the logarithm of the determinant of a group's covariance, whose factor it keeps.
func (m *Model) decompose(g, d int) (logDeterminant float64, err error) {
	switch m.Shape {
	case Spherical:
		logDeterminant = float64(d) * math.Log(m.Covariances[0][0])
	case Diagonal:
		for _, v := range m.Covariances[g] {
			logDeterminant += math.Log(v)
		}
	case Full:
		var cholesky mat.Cholesky
		if !cholesky.Factorize(mat.NewSymDense(d, m.Covariances[g])) {
			return 0, errFlat
		}
		var lower mat.TriDense
		cholesky.LTo(&lower)
		m.factors[g], logDeterminant = lower.RawTriangular(), cholesky.LogDet()
	}
	if math.IsNaN(logDeterminant) || math.IsInf(logDeterminant, 0) {
		return 0, errFlat
	}
	return logDeterminant, nil
}

// Groups is how many there are.
func (m *Model) Groups() int { return len(m.Means) }

// distance2 is the squared distance of a point from a group's mean in units of the group's own spread (Mahalanobis).
func (m *Model) distance2(g int, point, scratch []float64) float64 {
	switch m.Shape {
	case Spherical:
		return distance2(point, m.Means[g]) / m.Covariances[0][0]
	case Diagonal:
		sum := 0.0
		for j, v := range point {
			delta := v - m.Means[g][j]
			sum += delta * delta / m.Covariances[g][j]
		}
		return sum
	case Full:
	}
	floats.SubTo(scratch, point, m.Means[g])
	blas64.Trsv(blas.NoTrans, m.factors[g], blas64.Vector{N: len(scratch), Inc: 1, Data: scratch})
	return floats.Dot(scratch, scratch)
}

// Scorer tells to which groups points belong. It has memory of its own: each goroutine needs one.
type Scorer struct {
	model   *Model
	scratch []float64
	// Probabilities of the groups for the last point; they add up to 1.
	Probabilities []float64
}

// Scorer returns one.
func (m *Model) Scorer() *Scorer {
	return &Scorer{model: m, scratch: make([]float64, len(m.Means[0])), Probabilities: make([]float64, len(m.Means))}
}

// Score computes the probabilities of a point's groups, and returns the most probable one, the first of equals, with the
// logarithm of the density there. Densities too small for a float64 do no harm: all is done on logarithms, the greatest of
// which is taken out of the sum.
func (s *Scorer) Score(point []float64) (group int, logDensity float64) {
	for g := range s.Probabilities {
		s.Probabilities[g] = s.model.constants[g] - s.model.distance2(g, point, s.scratch)/2
	}
	group = floats.MaxIdx(s.Probabilities)
	logDensity = floats.LogSumExp(s.Probabilities)
	for g, logarithm := range s.Probabilities {
		s.Probabilities[g] = math.Exp(logarithm - logDensity)
	}
	return group, logDensity
}

// BIC is Schwarz's criterion, −2·ln L + p·ln n for p free parameters and n points: less is better.
func (m *Model) BIC() float64 {
	return -2*m.LogLikelihood + float64(m.Parameters)*math.Log(float64(m.Points))
}

// Reorder puts the groups into another order: to[i] is the group that becomes the i-th.
func (m *Model) Reorder(to []int) error {
	weights, means, covariances := make([]float64, len(to)), make([][]float64, len(to)), m.Covariances
	if m.Shape != Spherical {
		covariances = make([][]float64, len(to))
	}
	for i, g := range to {
		weights[i], means[i] = m.Weights[g], m.Means[g]
		if m.Shape != Spherical {
			covariances[i] = m.Covariances[g]
		}
	}
	m.Weights, m.Means, m.Covariances = weights, means, covariances
	return m.prepare()
}

// Parts splits a point's squared distance from a group's mean, in units of the group's spread, into what each dimension
// adds; they sum up to it. Where dimensions go together a part is δ_j·(Σ⁻¹δ)_j, and may be negative.
func (s *Scorer) Parts(g int, point, parts []float64) {
	m := s.model
	switch m.Shape {
	case Spherical, Diagonal:
		for j, v := range point {
			variance := m.Covariances[0][0]
			if m.Shape == Diagonal {
				variance = m.Covariances[g][j]
			}
			delta := v - m.Means[g][j]
			parts[j] = delta * delta / variance
		}
	case Full:
		floats.SubTo(parts, point, m.Means[g])
		copy(s.scratch, parts)
		solved := blas64.Vector{N: len(parts), Inc: 1, Data: s.scratch}
		blas64.Trsv(blas.NoTrans, m.factors[g], solved)
		blas64.Trsv(blas.Trans, m.factors[g], solved)
		floats.Mul(parts, s.scratch)
	}
}

// LogOdds is ln(p/q) for the probabilities p and q of two groups for a point, also where q is too small for a float64.
func (s *Scorer) LogOdds(p, q int, point []float64) float64 {
	m := s.model
	return m.constants[p] - m.constants[q] - (m.distance2(p, point, s.scratch)-m.distance2(q, point, s.scratch))/2
}
