package btyd

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"
)

// Spend is what a customer's repeat purchases were worth.
type Spend struct {
	// X repeat purchases.
	X int
	// Mean amount of them.
	Mean float64
}

// SpendFit is a Gamma-Gamma model with its parameters p, q and v: the amounts of a customer are gamma distributed (p, ν)
// with ν ~ Gamma(q, v) (Fader and Hardie, "The Gamma-Gamma Model of Monetary Value", 2013).
type SpendFit struct {
	Parameters    []Parameter
	LogLikelihood float64
	// Customers that it was fitted to: those with repeat purchases of a positive mean amount.
	Customers int
	// LeftOut had repeat purchases whose mean amount is not positive.
	LeftOut     int
	Evaluations int
	Converged   bool
}

// spending are amounts in the order of x, and sums that the likelihood needs of them.
type spending struct {
	xs     []float64 // distinct
	counts []float64 // customers by distinct x
	starts []int     // where each distinct x begins in means
	means  []float64
	// Σ ln z, Σ x ln z and Σ x ln x over customers.
	logMean, xLogMean, xLogX float64
}

// FitSpend fits a Gamma-Gamma model by maximum likelihood. Customers without a repeat purchase say nothing.
func FitSpend(spends []Spend) (*SpendFit, error) {
	s, leftOut := gatherSpends(spends)
	if len(s.means) < RepeatMin {
		return nil, fmt.Errorf("%w: %d customers bought again for a positive amount, %d must have", ErrTooLittle, len(s.means), RepeatMin)
	}
	mean, spread := s.moments()
	if spread < 1e-9*mean {
		return nil, fmt.Errorf("%w: all customers spend the same, %g a purchase", ErrTooLittle, mean)
	}
	objective := likelihood{customers: float64(len(s.means)), value: s.logLikelihood}
	thin := s.thinned(groupsForStart)
	start := likelihood{customers: float64(len(thin.means)), value: thin.logLikelihood}
	best, tried := search(start, [][]float64{{2, 3, mean}, {6, 4, mean / 2}, {1, 10, 9 * mean}})
	found, err := objective.climb(best)
	if err != nil {
		return nil, err
	}
	return &SpendFit{
		Parameters: found.parameters([]string{"p", "q", "v"}), LogLikelihood: found.value, Customers: len(s.means), LeftOut: leftOut,
		Evaluations: tried + found.evaluations, Converged: found.converged,
	}, nil
}

// gatherSpends sorts: the same customers give the same sums, whatever their order.
func gatherSpends(spends []Spend) (s *spending, leftOut int) {
	sorted := make([]Spend, 0, len(spends))
	for _, spend := range spends {
		switch {
		case spend.X <= 0:
		case !(spend.Mean > 0) || math.IsInf(spend.Mean, 0):
			leftOut++
		default:
			sorted = append(sorted, spend)
		}
	}
	slices.SortFunc(sorted, func(a, b Spend) int {
		return cmp.Or(cmp.Compare(a.X, b.X), cmp.Compare(a.Mean, b.Mean))
	})
	s = &spending{}
	for _, spend := range sorted {
		s.add(float64(spend.X), spend.Mean)
	}
	return s, leftOut
}

// add appends a customer; x must not fall.
func (s *spending) add(x, mean float64) {
	if len(s.xs) == 0 || s.xs[len(s.xs)-1] != x {
		s.xs, s.counts, s.starts = append(s.xs, x), append(s.counts, 0), append(s.starts, len(s.means))
	}
	s.counts[len(s.counts)-1]++
	s.means = append(s.means, mean)
	logMean := math.Log(mean)
	s.logMean += logMean
	s.xLogMean += x * logMean
	s.xLogX += x * math.Log(x)
}

// thinned keeps at most so many customers, evenly spread over x and amount.
func (s *spending) thinned(customersMax int) *spending {
	if len(s.means) <= customersMax {
		return s
	}
	thin, next := &spending{}, 0
	for i := range customersMax {
		place := i * len(s.means) / customersMax
		for next < len(s.starts) && s.starts[next] <= place {
			next++
		}
		thin.add(s.xs[next-1], s.means[place])
	}
	return thin
}

func (s *spending) moments() (mean, deviation float64) {
	for _, z := range s.means {
		mean += z
	}
	mean /= float64(len(s.means))
	for _, z := range s.means {
		deviation += (z - mean) * (z - mean)
	}
	return mean, math.Sqrt(deviation / float64(len(s.means)))
}

// logLikelihood is the sum over customers of
//
//	ln Γ(px+q)/(Γ(px)Γ(q)) + q ln v + (px−1) ln z + px ln x − (px+q) ln(v+xz)
func (s *spending) logLikelihood(parameters, gradient []float64) float64 {
	p, q, v := parameters[0], parameters[1], parameters[2]
	customers := float64(len(s.means))
	sum := customers*q*math.Log(v) + p*s.xLogMean - s.logMean + p*s.xLogX
	dp, dq, dv := s.xLogMean+s.xLogX, customers*math.Log(v), customers*q/v
	for i, x := range s.xs {
		end := len(s.means)
		if i+1 < len(s.starts) {
			end = s.starts[i+1]
		}
		logs, inverses := 0.0, 0.0
		for _, z := range s.means[s.starts[i]:end] {
			at := v + x*z
			logs += math.Log(at)
			inverses += 1 / at
		}
		n := s.counts[i]
		sum += n*betaConstant(p*x, q) - (p*x+q)*logs
		if gradient != nil {
			digammaSum := mathext.Digamma(p*x + q)
			dp += n*x*(digammaSum-mathext.Digamma(p*x)) - x*logs
			dq += n*(digammaSum-mathext.Digamma(q)) - logs
			dv -= (p*x + q) * inverses
		}
	}
	if gradient != nil {
		gradient[0], gradient[1], gradient[2] = dp, dq, dv
	}
	return sum
}

// betaConstant is ln Γ(a+b)/(Γ(a)Γ(b)).
func betaConstant(a, b float64) float64 {
	sum, _ := math.Lgamma(a + b)
	logA, _ := math.Lgamma(a)
	logB, _ := math.Lgamma(b)
	return sum - logA - logB
}

// Expected is the expected amount of a purchase of a customer with x repeat purchases of a mean amount; q must exceed 1
// for somebody who never bought again, or there is no mean.
func (f *SpendFit) Expected(s Spend) float64 {
	p, q, v := f.Parameters[0].Value, f.Parameters[1].Value, f.Parameters[2].Value
	x := float64(s.X)
	if s.X <= 0 || !(s.Mean > 0) {
		x = 0
	}
	if p*x+q <= 1 {
		return math.NaN()
	}
	return p * (v + x*s.Mean) / (p*x + q - 1)
}
