package btyd

import (
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/mathext"
)

// trigamma is the derivative of the digamma function: the Hurwitz zeta function of 2.
func trigamma(z float64) float64 { return mathext.Zeta(2, z) }

// newtonSteps are enough from a place near the top, where the right digits double with each, and few where it is hopeless.
const newtonSteps = 12

// curved tells the mean negative log-likelihood, its slope and its curvature at a place, by the logarithms of the parameters.
type curved func(logs []float64) (value float64, slope []float64, curvature *mat.SymDense)

// byLogs turns sums over customers by the parameters into means by their logarithms.
func (l likelihood) byLogs() curved {
	return func(logs []float64) (float64, []float64, *mat.SymDense) {
		p, n := exponents(logs), len(logs)
		slope, curvature := make([]float64, n), mat.NewSymDense(n, nil)
		value := -l.curve(p, slope, curvature) / l.customers
		for i := range n {
			for j := i; j < n; j++ {
				bend := p[i] * p[j] * curvature.At(i, j)
				if i == j {
					bend += p[i] * slope[i]
				}
				curvature.SetSym(i, j, -bend/l.customers)
			}
		}
		for i := range n {
			slope[i] *= -p[i] / l.customers
		}
		return value, slope, curvature
	}
}

// newton goes up from a place by Newton's steps, each halved until it leads up. It stops where the slope vanishes, and says
// whether it does; and stops where the likelihood does not curve down, or wants to go beyond what parameters may be.
func (m *maximum) newton(at curved) bool {
	value, slope, curvature := at(m.logs)
	m.evaluations++
	for range newtonSteps {
		if steepest(slope) < gradientMax/100 {
			return true
		}
		var factors mat.Cholesky
		var move mat.VecDense
		if !factors.Factorize(curvature) || factors.SolveVecTo(&move, mat.NewVecDense(len(slope), slope)) != nil {
			return false
		}
		moved := false
		for share := 1.0; share > 1e-3 && !moved; share /= 2 {
			next := make([]float64, len(m.logs))
			for i := range next {
				next[i] = m.logs[i] - share*move.AtVec(i)
			}
			if steepest(next) > logMax {
				continue
			}
			m.evaluations++
			if v, s, c := at(next); v <= value {
				m.logs, value, slope, curvature, moved = next, v, s, c, true
			}
		}
		if !moved {
			break // rounding: it does not get higher
		}
	}
	return steepest(slope) < gradientMax && !math.IsNaN(value)
}

// setSymmetric sets a matrix by its upper triangle, row by row.
func setSymmetric(m *mat.SymDense, upper ...float64) {
	n, next := m.SymmetricDim(), 0
	for i := range n {
		for j := i; j < n; j++ {
			m.SetSym(i, j, upper[next])
			next++
		}
	}
}
