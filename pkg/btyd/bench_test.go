package btyd_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/optimize"

	"tandem.bank/pkg/btyd"
)

// million are the histories of 1 000 000 customers, by the parameters of CDNOW and watched for one to two years.
func million() []btyd.History {
	return world{btyd.BGNBD, [4]float64{0.243, 4.414, 0.793, 2.426}}.histories(1, 1_000_000)
}

// BenchmarkFitMillion groups and fits BG/NBD and Gamma-Gamma.
func BenchmarkFitMillion(b *testing.B) {
	histories, spends := million(), millionSpends()
	b.ResetTimer()
	for range b.N {
		d, err := btyd.NewData(histories, 7)
		if err != nil {
			b.Fatal(err)
		}
		fit, err := btyd.FitCounts(btyd.BGNBD, d)
		if err != nil || !fit.Converged {
			b.Fatal(fit, err)
		}
		spend, err := btyd.FitSpend(spends)
		if err != nil || !spend.Converged {
			b.Fatal(spend, err)
		}
		b.ReportMetric(float64(d.Groups()), "groups")
	}
}

func millionSpends() []btyd.Spend {
	random := rand.New(rand.NewPCG(3, 3))
	spends := make([]btyd.Spend, 400_000)
	for i := range spends {
		spends[i] = btyd.Spend{X: 1 + random.IntN(20), Mean: math.Exp(3 + random.NormFloat64()/2)}
	}
	return spends
}

// BenchmarkNelderMead is the plain way: the formula of the paper, row by row, without a gradient.
func BenchmarkNelderMead(b *testing.B) {
	histories := million()
	b.ResetTimer()
	for range b.N {
		objective := func(logs []float64) float64 {
			r, alpha, a, bb := math.Exp(logs[0]), math.Exp(logs[1]), math.Exp(logs[2]), math.Exp(logs[3])
			sum := 0.0
			for _, h := range histories {
				sum += rowLikelihood(r, alpha, a, bb, float64(h.X), float64(h.TX)/7, float64(h.T)/7)
			}
			return -sum / float64(len(histories))
		}
		result, err := optimize.Minimize(optimize.Problem{Func: objective}, []float64{0, 0, 0, 0}, nil, &optimize.NelderMead{})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(result.FuncEvaluations), "evaluations")
	}
}

// rowLikelihood is equation 6 of Fader, Hardie and Lee 2005.
func rowLikelihood(r, alpha, a, b, x, tx, t float64) float64 {
	g := func(z float64) float64 { v, _ := math.Lgamma(z); return v }
	common := g(r+x) - g(r) + r*math.Log(alpha)
	still := g(a+b) + g(b+x) - g(b) - g(a+b+x) - (r+x)*math.Log(alpha+t)
	if x == 0 {
		return common + still
	}
	left := g(a+b) + g(b+x-1) + math.Log(a) - g(b) - g(a+b+x) - (r+x)*math.Log(alpha+tx)
	most := max(still, left)
	return common + most + math.Log(math.Exp(still-most)+math.Exp(left-most))
}
