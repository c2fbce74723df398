package btyd

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"
)

// drawData are histories of any kind: none bought again, all did, watched for no time at all.
func drawData(t *rapid.T) *Data {
	histories := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) History {
		h := History{T: rapid.IntRange(0, 800).Draw(t, "T")}
		if h.T > 0 && rapid.Bool().Draw(t, "again") {
			h.TX = rapid.IntRange(1, h.T).Draw(t, "t_x")
			h.X = rapid.IntRange(1, h.TX).Draw(t, "x")
		}
		return h
	}), 1, 20).Draw(t, "histories")
	d, err := NewData(histories, 7)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestGradients(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := drawData(t)
		kind := rapid.SampledFrom(Kinds).Draw(t, "kind")
		model, err := kind.model()
		if err != nil {
			t.Fatal(err)
		}
		logs := rapid.SliceOfN(rapid.Float64Range(-3, 4), 4, 4).Draw(t, "logarithms")
		p := exponents(logs)
		checkGradient(t, p, func(p, gradient []float64) float64 { return model.logLikelihood(d, p, gradient) })
		if curving, ok := model.(curving); ok {
			checkCurvature(t, p, func(p, gradient []float64, second *mat.SymDense) float64 {
				return curving.curvature(d, p, gradient, second)
			})
		}
	})
}

func TestSpendGradient(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		spends := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) SpendGroup {
			spend := Spend{X: rapid.IntRange(0, 300).Draw(t, "x"), Mean: rapid.Float64Range(0.01, 1e6).Draw(t, "mean")}
			return SpendGroup{Spend: spend, Customers: rapid.IntRange(1, 9).Draw(t, "customers")}
		}), 1, 30).Draw(t, "spends")
		s, _ := gatherSpends(append(spends, SpendGroup{Spend{X: 1, Mean: 1}, 1}))
		p := exponents(rapid.SliceOfN(rapid.Float64Range(-3, 4), 3, 3).Draw(t, "logarithms"))
		checkGradient(t, p, func(p, gradient []float64) float64 { return s.curvature(p, gradient, nil) })
		checkCurvature(t, p, s.curvature)
	})
}

// The slopes of P(alive) by formula and by differences.
func TestAliveSlopes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom(Kinds).Draw(t, "kind")
		model, err := kind.model()
		if err != nil {
			t.Fatal(err)
		}
		p := exponents(rapid.SliceOfN(rapid.Float64Range(-2, 3), 4, 4).Draw(t, "logarithms"))
		last, x := rapid.Float64Range(0, 60).Draw(t, "t_x"), float64(rapid.IntRange(0, 40).Draw(t, "x"))
		if x == 0 {
			last = 0
		}
		end := last + rapid.Float64Range(0, 60).Draw(t, "since")
		got := make([]float64, 4)
		model.aliveSlope(p, x, last, end, got)
		for i, want := range slopes(p, func(p []float64) float64 { return math.Log(model.alive(p, x, last, end)) }) {
			if math.Abs(got[i]-want) > 1e-5*(1+math.Abs(want)) {
				t.Errorf("%s at %v of %g, %g, %g: slope %d is %g, numerically %g", kind, p, x, last, end, i, got[i], want)
			}
		}
	})
}

// width of differences, by logarithms: wide enough that the digits which large sums lose do not count, nor what the digamma
// function jumps by where its series changes, some 1e-10.
const width = 1e-4

// checkCurvature compares second derivatives with central differences of the gradient, by the logarithms of the parameters.
func checkCurvature(t *rapid.T, p []float64, value func(p, gradient []float64, second *mat.SymDense) float64) {
	n := len(p)
	gradient, above, below, second := make([]float64, n), make([]float64, n), make([]float64, n), mat.NewSymDense(n, nil)
	at := value(p, gradient, second)
	for i, v := range p {
		p[i] = v * math.Exp(width)
		value(p, above, nil)
		p[i] = v * math.Exp(-width)
		value(p, below, nil)
		p[i] = v
		for j := range p {
			analytic, numeric := second.At(i, j)*v*p[j], (above[j]-below[j])/(2*width)*p[j]
			// The difference is of slopes by p[i]·d/dp[i]; p[j] stays.
			if math.Abs(analytic-numeric) > 1e-5*(1+math.Abs(numeric)+math.Abs(gradient[j]*p[j]))+1e-8*math.Abs(at) {
				t.Errorf("second derivative %d, %d at %v is %.10g, numerically %.10g", i, j, p, analytic, numeric)
			}
		}
	}
}

// checkGradient compares with central differences, by the logarithms of the parameters.
func checkGradient(t *rapid.T, p []float64, value func(p, gradient []float64) float64) {
	gradient := make([]float64, len(p))
	at := value(p, gradient)
	if math.IsNaN(at) || math.IsInf(at, 0) {
		t.Fatalf("the log-likelihood at %v is %v", p, at)
	}
	for i, v := range p {
		p[i] = v * math.Exp(width)
		above := value(p, nil)
		p[i] = v * math.Exp(-width)
		numeric := (above - value(p, nil)) / (2 * width)
		p[i] = v
		if analytic := gradient[i] * v; math.Abs(analytic-numeric) > 1e-5*(1+math.Abs(numeric))+1e-9*math.Abs(at) {
			t.Errorf("derivative %d at %v is %.10g, numerically %.10g", i, p, analytic, numeric)
		}
	}
}

// The integral of Pareto/NBD against its solution by hypergeometric functions: Fader and Hardie 2005, equations 5 and 6.
func TestParetoIntegral(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := exponents(rapid.SliceOfN(rapid.Float64Range(-2, 3), 4, 4).Draw(t, "logarithms"))
		end := rapid.IntRange(1, 500).Draw(t, "T")
		tx := rapid.IntRange(0, end).Draw(t, "t_x")
		x := 0
		if tx > 0 {
			x = rapid.IntRange(1, tx).Draw(t, "x")
		}
		want := paretoBracket(p, float64(x), float64(tx)/7, float64(end)/7)
		if got := bracket(p, float64(x), float64(tx)/7, float64(end)/7).log; math.Abs(got-want) > 1e-8*(1+math.Abs(want)) {
			t.Errorf("x = %d, t_x = %d, T = %d, %v: %.12g, want %.12g", x, tx, end, p, got, want)
		}
	})
}

func paretoBracket(p []float64, x, tx, end float64) float64 {
	r, alpha, s, beta := p[0], p[1], p[2], p[3]
	k, greater, second, difference := r+s+x, alpha, s+1, alpha-beta
	if alpha < beta {
		greater, second, difference = beta, r+x, beta-alpha
	}
	part := func(at, scale float64) float64 {
		return math.Exp(logHypergeometric(k, second, k+1, difference/(greater+at)) - k*math.Log(greater+at) - scale)
	}
	scale := -(r+x)*math.Log(alpha+end) - s*math.Log(beta+end)
	return scale + math.Log(1+s/k*(part(tx, scale)-part(end, scale)))
}

// Parameters at the boundary of a model are ordinary numbers, and quick: everybody buys at one rate, or leaves with one probability.
func TestRateAtTheBoundary(t *testing.T) {
	t.Parallel()
	for _, p := range [][]float64{{0.5, 8, 3e5, 3e6}, {4e5, 3e6, 0.4, 0.5}, {4e5, 3e6, 3e5, 3e6}, {1e-6, 1e-6, 1e-6, 1e-6}, {1e6, 1e-3, 1e6, 1e-3}} {
		for _, model := range []counting{beta{}, beta{first: 1}, pareto{}} {
			for _, x := range []float64{0, 5, 1e6} {
				if rate := whileAlive(model, p, x, 52, 52, 0); !(rate >= 0) || math.IsInf(rate, 0) {
					t.Errorf("%T %v, x = %g: %v purchases", model, p, x, rate)
				}
			}
		}
	}
	// One probability p of leaving and one rate λ: ∫ λ e^−λpu du over [0, h] = (1 − e^−λph)/p.
	got := whileAlive(beta{}, []float64{4e7, 4e8, 3e7, 3e8}, 0, 0, 52, 0)
	leave := 3.0 / 33
	if want := (1 - math.Exp(-0.1*leave*52)) / leave; math.Abs(got/want-1) > 1e-5 {
		t.Errorf("%g purchases, want %g", got, want)
	}
}
