package btyd

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// beta is the family in which a customer leaves after a purchase with a probability of their own, beta distributed (a, b),
// and buys at a rate of their own, gamma distributed (r, α), until then.
//
// BG/NBD: nobody leaves after the first purchase (Fader, Hardie and Lee, "Counting Your Customers the Easy Way",
// Marketing Science 24, 2005). MBG/NBD: the first purchase is as dangerous as any (Batislam, Denizel and Filiztekin,
// International Journal of Research in Marketing 24, 2007). With n chances to leave survived or not, n = x in
// the one and x + 1 in the other, the likelihood of a history is
//
//	L = Γ(r+x)/Γ(r) · α^r (α+T)^−(r+x) · B(a, b+n)/B(a, b) · (1 + D)
//	D = [n > 0] · a/(b+n−1) · ((α+T)/(α+t_x))^(r+x)
type beta struct {
	// first is 1 when the first purchase is a chance to leave, else 0.
	first float64
}

// alternationMin is the least parameter of a series whose terms change their sign only while they are small.
const alternationMin = -20

func (beta) names() []string { return []string{"r", "alpha", "a", "b"} }

// starts are places from which the maximum is looked for: few and many purchases, low and high drop-out.
func (beta) starts(rate float64) [][]float64 {
	return [][]float64{{1, 1 / rate, 1, 2}, {0.3, 0.3 / rate, 0.5, 3}, {2, 2 / rate, 1, 10}, {0.5, 1 / rate, 3, 1}}
}

// byCount are the terms that depend on x only.
type byCount struct {
	constant, dr, da, db float64
	logLeave             float64 // ln(a/(b+n−1))
	inverse              float64 // 1/(b+n−1)
	canLeave             bool
}

func (m beta) tabulate(xs []float64, p []float64) []byCount {
	r, alpha, a, b := p[0], p[1], p[2], p[3]
	digammaR, digammaB, digammaAB := mathext.Digamma(r), mathext.Digamma(b), mathext.Digamma(a+b)
	table := make([]byCount, len(xs))
	for i, x := range xs {
		n := x + m.first
		t := &table[i]
		t.constant = lgammaRatio(r, x) + r*math.Log(alpha) + lgammaRatio(b, n) - lgammaRatio(a+b, n)
		t.dr = mathext.Digamma(r+x) - digammaR + math.Log(alpha)
		digammaABN := mathext.Digamma(a + b + n)
		t.da = digammaAB - digammaABN
		t.db = t.da + mathext.Digamma(b+n) - digammaB
		if n > 0 {
			t.canLeave, t.inverse = true, 1/(b+n-1)
			t.logLeave = math.Log(a * t.inverse)
		}
	}
	return table
}

// logLikelihood of the data; gradient, when not nil, gets the derivatives by r, α, a and b.
func (m beta) logLikelihood(d *Data, p, gradient []float64) float64 {
	r, alpha, a := p[0], p[1], p[2]
	counts, times := m.tabulate(d.xs, p), tabulateTimes(alpha, d.times)
	sum, dr, dalpha, da, db := 0.0, 0.0, 0.0, 0.0, 0.0
	for _, g := range d.groups {
		c, x := &counts[g.x], d.xs[g.x]
		value := c.constant - (r+x)*times.log[g.t]
		gr, galpha, ga, gb := c.dr-times.log[g.t], r/alpha-(r+x)*times.inverse[g.t], c.da, c.db
		if c.canLeave {
			logRatio := times.log[g.t] - times.log[g.tx]
			added, w := softplus(c.logLeave + (r+x)*logRatio)
			value += added
			gr += w * logRatio
			galpha += w * (r + x) * (times.inverse[g.t] - times.inverse[g.tx])
			ga += w / a
			gb -= w * c.inverse
		}
		sum += g.n * value
		dr, dalpha, da, db = dr+g.n*gr, dalpha+g.n*galpha, da+g.n*ga, db+g.n*gb
	}
	if gradient != nil {
		gradient[0], gradient[1], gradient[2], gradient[3] = dr, dalpha, da, db
	}
	return sum
}

// alive is the probability of not having left by T.
func (m beta) alive(p []float64, x, tx, t float64) float64 {
	r, alpha, a, b := p[0], p[1], p[2], p[3]
	n := x + m.first
	if n == 0 {
		return 1
	}
	odds := math.Log(a/(b+n-1)) + (r+x)*math.Log((alpha+t)/(alpha+tx))
	_, w := softplus(odds)
	return 1 - w
}

// rate is the expected number of purchases per unit of time, u after T, of a customer who is there at T. Purchases go on
// at λ and end at λp, with λ ~ Gamma(r+x, α+T) and p ~ Beta(a, b+n):
//
//	E[λ e^−λpu] = (r+x)/(α+T) · ₂F₁(r+x+1, a; a+b+n; −u/(α+T))
//
// which Pfaff's transformations bring to series in u/(α+T+u): the one with the lesser of the two parameters ends sooner, unless
// its terms change sign so often that they cancel.
func (m beta) rate(p []float64, x, t, u float64) float64 {
	r, alpha, a, b := p[0], p[1], p[2], p[3]
	n := x + m.first
	k, c, w := r+x+1, a+b+n, u/(alpha+t+u)
	least, other := a, c-k
	if k < a || other < alternationMin {
		least, other = k, c-a
	}
	return (r + x) / (alpha + t) * math.Exp(-least*math.Log1p(u/(alpha+t))+logHypergeometric(other, least, c, w))
}
