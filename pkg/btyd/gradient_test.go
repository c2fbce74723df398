package btyd

import (
	"math"
	"testing"

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
		checkGradient(t, exponents(logs), func(p, gradient []float64) float64 { return model.logLikelihood(d, p, gradient) })
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
		checkGradient(t, exponents(rapid.SliceOfN(rapid.Float64Range(-3, 4), 3, 3).Draw(t, "logarithms")), s.logLikelihood)
	})
}

// checkGradient compares with central differences, by the logarithms of the parameters.
func checkGradient(t *rapid.T, p []float64, value func(p, gradient []float64) float64) {
	const width = 1e-5
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
