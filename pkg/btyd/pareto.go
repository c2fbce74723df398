package btyd

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// pareto is Pareto/NBD: a customer buys at a rate of their own, gamma distributed (r, α), until they leave at a rate of
// their own, gamma distributed (s, β), whether they buy or not (Schmittlein, Morrison and Colombo, 1987). In the form of Fader and Hardie,
// "A Note on Deriving the Pareto/NBD Model", 2005, before the integral is solved:
//
//	L = Γ(r+x)/Γ(r) · α^r β^s · [ (α+T)^−(r+x) (β+T)^−s + s ∫ (α+τ)^−(r+x) (β+τ)^−(s+1) dτ ],  t_x ≤ τ ≤ T
//
// The integral is taken by Gauss-Legendre, and its derivatives at the same nodes: that is as exact as the hypergeometric
// functions that solve it, and has no case that loses digits.
type pareto struct{}

// aliveSlope is by central differences: the derivatives of hypergeometric functions by their parameters have no short form.
func (m pareto) aliveSlope(p []float64, x, tx, t float64, slope []float64) {
	copy(slope, slopes(p, func(p []float64) float64 { return math.Log(m.alive(p, x, tx, t)) }))
}

func (pareto) names() []string { return []string{"r", "alpha", "s", "beta"} }

func (pareto) starts(rate float64) [][]float64 {
	return [][]float64{{0.6, 0.6 / rate, 0.6, 1 / rate}, {2, 2 / rate, 0.3, 0.5 / rate}, {0.3, 0.3 / rate, 2, 4 / rate}}
}

// logLikelihood of the data; gradient, when not nil, gets the derivatives by r, α, s and β.
func (m pareto) logLikelihood(d *Data, p, gradient []float64) float64 {
	r, alpha, s, beta := p[0], p[1], p[2], p[3]
	logAlpha, logBeta, digammaR := math.Log(alpha), math.Log(beta), mathext.Digamma(r)
	sum := 0.0
	clear(gradient)
	last, constant, digamma := -1, 0.0, 0.0
	for _, g := range d.groups {
		x := d.xs[g.x]
		if g.x != last {
			last, constant = g.x, lgammaRatio(r, x)+r*logAlpha+s*logBeta
			digamma = mathext.Digamma(r+x) - digammaR
		}
		b := bracket(p, x, d.times[g.tx], d.times[g.t])
		sum += g.n * (constant + b.log)
		if gradient != nil {
			gradient[0] += g.n * (digamma + logAlpha + b.dr)
			gradient[1] += g.n * (r/alpha + b.dalpha)
			gradient[2] += g.n * (logBeta + b.ds)
			gradient[3] += g.n * (s/beta + b.dbeta)
		}
	}
	return sum
}

// bracketed is the logarithm of the bracket in the likelihood, its derivatives, and the share of its first term, which is
// the probability of being there.
type bracketed struct{ log, dr, dalpha, ds, dbeta, alive float64 }

// bracket adds the two ways to have been silent since t_x: still there, or left in between.
func bracket(p []float64, x, tx, t float64) bracketed {
	r, alpha, s, beta := p[0], p[1], p[2], p[3]
	logT, logBetaT := math.Log(alpha+t), math.Log(beta+t)
	// Everything is relative to the greatest possible value, at τ = t_x, so that nothing underflows.
	logTop := -(r+x)*math.Log(alpha+tx) - s*math.Log(beta+tx)
	there := math.Exp(-(r+x)*logT - s*logBetaT - logTop)
	left := bracketed{}
	if t > tx {
		left = integrate(p, x, tx, t, logTop)
	}
	total := there + left.log
	return bracketed{
		log:    logTop + math.Log(total),
		dr:     (-there*logT + left.dr) / total,
		dalpha: (-there*(r+x)/(alpha+t) + left.dalpha) / total,
		ds:     (-there*logBetaT + left.ds) / total,
		dbeta:  (-there*s/(beta+t) + left.dbeta) / total,
		alive:  there / total,
	}
}

// integrate returns s∫ and its derivatives over e^logTop; the value stands in log. It goes over y = ln((m+τ)/(m+t_x)) with the
// lesser of α and β as m, so that no pole lies near, in panels short enough for the integrand to be a polynomial to the nodes.
func integrate(p []float64, x, tx, t, logTop float64) (sum bracketed) {
	const (
		widthMax   = 1
		fallMax    = 4     // e^fall is what the integrand may lose within a panel, by its slope at the start
		negligible = 1e-18 // of the sum
	)
	r, alpha, s, beta := p[0], p[1], p[2], p[3]
	m := min(alpha, beta)
	start := m + tx
	end := math.Log((m + t) / start)
	for low := 0.0; low < end; {
		at := start * math.Exp(low)
		fall := (r+x)*at/(alpha+at-m) + (s+1)*at/(beta+at-m)
		width := min(widthMax, fallMax/fall, end-low)
		value := 0.0
		for j, node := range panelX {
			at := start * math.Exp(low+width*node)
			a, b := alpha+at-m, beta+at-m
			logA, logB := math.Log(a), math.Log(b)
			value = s * math.Exp(-(r+x)*logA-(s+1)*logB-logTop) * at * width * panelW[j]
			sum.log += value
			sum.dr -= value * logA
			sum.dalpha -= value * (r + x) / a
			sum.ds += value * (1/s - logB)
			sum.dbeta -= value * (s + 1) / b
		}
		if value < negligible*sum.log {
			break
		}
		low += width
	}
	return sum
}

// alive is the probability of not having left by T.
func (pareto) alive(p []float64, x, tx, t float64) float64 { return bracket(p, x, tx, t).alive }

// rate is the expected number of purchases per unit of time, u after T, of a customer who is there at T: λ and the rate of
// leaving are independent then.
func (pareto) rate(p []float64, x, t, u float64) float64 {
	r, alpha, s, beta := p[0], p[1], p[2], p[3]
	return (r + x) / (alpha + t) * math.Pow((beta+t)/(beta+t+u), s)
}
