package btyd

import (
	"math"

	"gonum.org/v1/gonum/mat"
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
	// Second derivatives by r, by a with those by b that are equal to them, and what those by b have more.
	rr, aa, bb float64
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

// tabulateBends adds the second derivatives of the constants.
func (m beta) tabulateBends(table []byCount, xs, p []float64) {
	r, a, b := p[0], p[2], p[3]
	trigammaR, trigammaB, trigammaAB := trigamma(r), trigamma(b), trigamma(a+b)
	for i, x := range xs {
		n := x + m.first
		table[i].rr = trigamma(r+x) - trigammaR
		table[i].aa = trigammaAB - trigamma(a+b+n)
		table[i].bb = trigamma(b+n) - trigammaB
	}
}

// logLikelihood of the data; gradient, when not nil, gets the derivatives by r, α, a and b.
func (m beta) logLikelihood(d *Data, p, gradient []float64) float64 {
	return m.curvature(d, p, gradient, nil)
}

// curvature is the same with the second derivatives, where they are wanted.
func (m beta) curvature(d *Data, p, gradient []float64, second *mat.SymDense) float64 {
	r, alpha, a := p[0], p[1], p[2]
	counts, times := m.tabulate(d.xs, p), tabulateTimes(alpha, d.times)
	if second != nil {
		m.tabulateBends(counts, d.xs, p)
	}
	sum, dr, dalpha, da, db := 0.0, 0.0, 0.0, 0.0, 0.0
	var bend betaBend
	for i := range d.groups {
		g := &d.groups[i]
		c, x := &counts[g.x], d.xs[g.x]
		value := c.constant - (r+x)*times.log[g.t]
		gr, galpha, ga, gb := c.dr-times.log[g.t], r/alpha-(r+x)*times.inverse[g.t], c.da, c.db
		if c.canLeave {
			logRatio, difference := times.log[g.t]-times.log[g.tx], times.inverse[g.t]-times.inverse[g.tx]
			added, w := softplus(c.logLeave + (r+x)*logRatio)
			value += added
			gr += w * logRatio
			galpha += w * (r + x) * difference
			ga += w / a
			gb -= w * c.inverse
			if second != nil {
				bend.leave(g.n, w, [4]float64{logRatio, (r + x) * difference, 1 / a, -c.inverse}, difference,
					-(r+x)*difference*(times.inverse[g.t]+times.inverse[g.tx]))
			}
		}
		if second != nil {
			bend.rr += g.n * c.rr
			bend.rl += g.n * (1/alpha - times.inverse[g.t])
			bend.ll += g.n * ((r+x)*times.inverse[g.t]*times.inverse[g.t] - r/(alpha*alpha))
			bend.aa += g.n * c.aa
			bend.ab += g.n * c.aa
			bend.bb += g.n * (c.aa + c.bb)
		}
		sum += g.n * value
		dr, dalpha, da, db = dr+g.n*gr, dalpha+g.n*galpha, da+g.n*ga, db+g.n*gb
	}
	if gradient != nil {
		gradient[0], gradient[1], gradient[2], gradient[3] = dr, dalpha, da, db
	}
	if second != nil {
		setSymmetric(second, bend.rr, bend.rl, bend.ra, bend.rb, bend.ll, bend.la, bend.lb, bend.aa, bend.ab, bend.bb)
	}
	return sum
}

// betaBend are second derivatives by r, α (l), a and b.
type betaBend struct{ rr, rl, ra, rb, ll, la, lb, aa, ab, bb float64 }

// leave adds those of ln(1 + e^z) for n customers: of w = e^z/(1 + e^z), of the slopes of z, and of the second derivatives of z
// by r and α, and by α; those by a and by b are -1/a² and 1/(b+n−1)², the squares of their slopes.
func (d *betaBend) leave(n, w float64, z [4]float64, zrl, zll float64) {
	once, twice := n*w, n*w*(1-w)
	d.rr += twice * z[0] * z[0]
	d.rl += twice*z[0]*z[1] + once*zrl
	d.ra += twice * z[0] * z[2]
	d.rb += twice * z[0] * z[3]
	d.ll += twice*z[1]*z[1] + once*zll
	d.la += twice * z[1] * z[2]
	d.lb += twice * z[1] * z[3]
	d.aa += (twice - once) * z[2] * z[2]
	d.ab += twice * z[2] * z[3]
	d.bb += (twice + once) * z[3] * z[3]
}

// alive is the probability of not having left by T.
func (m beta) alive(p []float64, x, tx, t float64) float64 {
	r, alpha, a, b := p[0], p[1], p[2], p[3]
	n := x + m.first
	if n == 0 {
		return 1
	}
	odds := math.Log(a/(b+n-1)) + (r+x)*math.Log((alpha+t)/(alpha+tx))
	_, w := softplus(-odds)
	return w
}

// aliveSlope: the logarithm of alive is -ln(1 + e^odds).
func (m beta) aliveSlope(p []float64, x, tx, t float64, slope []float64) {
	r, alpha, a, b := p[0], p[1], p[2], p[3]
	n := x + m.first
	if n == 0 {
		clear(slope)
		return
	}
	logRatio := math.Log((alpha + t) / (alpha + tx))
	_, w := softplus(math.Log(a/(b+n-1)) + (r+x)*logRatio)
	slope[0] = -w * r * logRatio
	slope[1] = -w * alpha * (r + x) * (1/(alpha+t) - 1/(alpha+tx))
	slope[2] = -w
	slope[3] = w * b / (b + n - 1)
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
