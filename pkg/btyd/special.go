package btyd

import (
	"math"

	"gonum.org/v1/gonum/integrate/quad"
)

// lgammaRatio is ln Γ(z+n)/Γ(z). For a great z the difference of two logarithms would have no digits left.
func lgammaRatio(z, n float64) float64 {
	if n == 0 {
		return 0
	}
	if n <= 32 && n == math.Trunc(n) {
		product, sum := 1.0, 0.0
		for i := range int(n) {
			product *= z + float64(i)
			if product > 1e200 || product < 1e-200 {
				sum, product = sum+math.Log(product), 1
			}
		}
		return sum + math.Log(product)
	}
	upper, _ := math.Lgamma(z + n)
	lower, _ := math.Lgamma(z)
	return upper - lower
}

// softplus is ln(1 + e^z) and its derivative, without overflow.
func softplus(z float64) (value, slope float64) {
	if z > 0 {
		e := math.Exp(-z)
		return z + math.Log1p(e), 1 / (1 + e)
	}
	e := math.Exp(z)
	return math.Log1p(e), e / (1 + e)
}

// byTime are logarithm and inverse of (parameter + time): the groups share them.
type byTime struct{ log, inverse []float64 }

func tabulateTimes(parameter float64, times []float64) byTime {
	t := byTime{log: make([]float64, len(times)), inverse: make([]float64, len(times))}
	for i, time := range times {
		t.log[i], t.inverse[i] = math.Log(parameter+time), 1/(parameter+time)
	}
	return t
}

// logHypergeometric is ln ₂F₁(a, b; c; w) by its series, for 0 ≤ w < 1, c > 0 and a positive sum.
func logHypergeometric(a, b, c, w float64) float64 {
	const (
		precision = 1e-15
		termsMax  = 200_000
		huge      = 1e200
	)
	sum, term, scale := 1.0, 1.0, 0.0
	for k := range termsMax {
		i := float64(k)
		ratio := (a + i) * (b + i) / ((c + i) * (i + 1)) * w
		term *= ratio
		sum += term
		// Once the terms have one sign and fall, what is left is below a geometric series.
		if fall := math.Abs(ratio); fall < 1 && i > -a && math.Abs(term) <= precision*math.Abs(sum)*(1-max(fall, w)) {
			break
		}
		if sum > huge {
			sum, term, scale = sum/huge, term/huge, scale+math.Log(huge)
		}
	}
	return scale + math.Log(sum)
}

// Nodes and weights of Gauss-Legendre on [0, 1].
var (
	horizonX, horizonW = legendre(32)
	panelX, panelW     = legendre(12)
)

func legendre(nodes int) (x, weights []float64) {
	x, weights = make([]float64, nodes), make([]float64, nodes)
	quad.Legendre{}.FixedLocations(x, weights, 0, 1)
	return x, weights
}
