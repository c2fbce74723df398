package btyd

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/mathext"
)

// Spend is what a customer's repeat purchases were worth.
type Spend struct {
	// X repeat purchases.
	X int
	// Mean amount of them.
	Mean float64
}

// SpendGroup is a number of customers with equal spends.
type SpendGroup struct {
	Spend
	Customers int
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
	// covariance of the logarithms of the parameters.
	covariance *mat.SymDense
}

// spending are amounts in the order of x, and sums that the likelihood needs of them.
type spending struct {
	customers float64
	xs        []float64 // distinct
	counts    []float64 // customers by distinct x
	starts    []int     // where each distinct x begins in means
	means     []float64
	weights   []float64 // customers with that mean
	// Σ ln z, Σ x ln z and Σ x ln x over customers.
	logMean, xLogMean, xLogX float64
}

// FitSpend fits a Gamma-Gamma model by maximum likelihood. Customers without a repeat purchase say nothing.
func FitSpend(spends []Spend) (*SpendFit, error) {
	groups := make([]SpendGroup, len(spends))
	for i, spend := range spends {
		groups[i] = SpendGroup{Spend: spend, Customers: 1}
	}
	return FitSpendGroups(groups)
}

// FitSpendGroups takes amounts that a database has counted already.
func FitSpendGroups(groups []SpendGroup) (*SpendFit, error) {
	s, leftOut := gatherSpends(groups)
	if s.customers < RepeatMin {
		return nil, fmt.Errorf("%w: %g customers bought again for a positive amount, %d must have", ErrTooLittle, s.customers, RepeatMin)
	}
	// Amounts are measured by their geometric mean: parameters are then as near to 1 in a currency of great numbers as in any other.
	scale := math.Exp(s.logMean / s.customers)
	s = s.measuredBy(scale)
	mean, spread := s.moments()
	if spread < 1e-9*mean {
		return nil, fmt.Errorf("%w: all customers spend the same, %.6g a purchase", ErrTooLittle, mean*scale)
	}
	objective := func(groupsMax int) likelihood {
		thin := s.thinned(groupsMax)
		return likelihood{
			customers: thin.customers, curve: thin.curvature,
			value: func(p, gradient []float64) float64 { return thin.curvature(p, gradient, nil) },
		}
	}
	found, tried, err := ascend(len(s.means), objective, [][]float64{{2, 3, mean}, {6, 4, mean / 2}, {1, 10, 9 * mean}})
	if err != nil {
		return nil, err
	}
	parameters := found.parameters([]string{"p", "q", "v"})
	v := &parameters[2]
	v.Value, v.StandardError, v.Low, v.High = v.Value*scale, v.StandardError*scale, v.Low*scale, v.High*scale
	return &SpendFit{
		Parameters: parameters, LogLikelihood: found.value - s.customers*math.Log(scale), Customers: int(s.customers), LeftOut: leftOut,
		Evaluations: tried + found.evaluations, Converged: found.converged, covariance: found.covariance,
	}, nil
}

// gatherSpends sorts: the same customers give the same sums, whatever their order.
func gatherSpends(groups []SpendGroup) (s *spending, leftOut int) {
	byCount := map[int][]weighted{}
	for _, g := range groups {
		switch {
		case g.X <= 0 || g.Customers <= 0:
		case !(g.Mean > 0) || math.IsInf(g.Mean, 0):
			leftOut += g.Customers
		default:
			byCount[g.X] = append(byCount[g.X], weighted{g.Mean, float64(g.Customers)})
		}
	}
	s = &spending{}
	for _, x := range slices.Sorted(maps.Keys(byCount)) {
		means := byCount[x]
		slices.SortFunc(means, func(a, b weighted) int { return cmp.Compare(a.mean, b.mean) })
		for i, m := range means {
			if i+1 < len(means) && means[i+1].mean == m.mean {
				means[i+1].customers += m.customers // equal ones together
				continue
			}
			s.add(float64(x), m.mean, m.customers)
		}
	}
	return s, leftOut
}

// weighted is a mean amount that so many customers have.
type weighted struct{ mean, customers float64 }

// add appends customers; x must not fall.
func (s *spending) add(x, mean, customers float64) {
	if len(s.xs) == 0 || s.xs[len(s.xs)-1] != x {
		s.xs, s.counts, s.starts = append(s.xs, x), append(s.counts, 0), append(s.starts, len(s.means))
	}
	s.counts[len(s.counts)-1] += customers
	s.means, s.weights = append(s.means, mean), append(s.weights, customers)
	s.customers += customers
	logMean := math.Log(mean)
	s.logMean += customers * logMean
	s.xLogMean += customers * x * logMean
	s.xLogX += customers * x * math.Log(x)
}

// measuredBy are the same amounts in another unit.
func (s *spending) measuredBy(unit float64) *spending {
	return s.picked(len(s.means), func(i int) int { return i }, unit)
}

// thinned keeps at most so many groups, evenly spread over x and amount.
func (s *spending) thinned(groupsMax int) *spending {
	if len(s.means) <= groupsMax {
		return s
	}
	return s.picked(groupsMax, func(i int) int { return i * len(s.means) / groupsMax }, 1)
}

// picked takes some of the groups in their order, their amounts in a unit.
func (s *spending) picked(groups int, place func(i int) int, unit float64) *spending {
	out, next := &spending{}, 0
	for i := range groups {
		at := place(i)
		for next < len(s.starts) && s.starts[next] <= at {
			next++
		}
		out.add(s.xs[next-1], s.means[at]/unit, s.weights[at])
	}
	return out
}

func (s *spending) moments() (mean, deviation float64) {
	for i, z := range s.means {
		mean += s.weights[i] * z
	}
	mean /= s.customers
	for i, z := range s.means {
		deviation += s.weights[i] * (z - mean) * (z - mean)
	}
	return mean, math.Sqrt(deviation / s.customers)
}

// curvature is the log-likelihood with its derivatives, where they are wanted: the sum over customers of
//
//	ln Γ(px+q)/(Γ(px)Γ(q)) + q ln v + (px−1) ln z + px ln x − (px+q) ln(v+xz)
func (s *spending) curvature(parameters, gradient []float64, second *mat.SymDense) float64 {
	p, q, v := parameters[0], parameters[1], parameters[2]
	customers := s.customers
	sum := customers*q*math.Log(v) + p*s.xLogMean - s.logMean + p*s.xLogX
	dp, dq, dv := s.xLogMean+s.xLogX, customers*math.Log(v), customers*q/v
	pp, pq, pv, qq, qv, vv := 0.0, 0.0, 0.0, 0.0, customers/v, -customers*q/(v*v)
	for i, x := range s.xs {
		end := len(s.means)
		if i+1 < len(s.starts) {
			end = s.starts[i+1]
		}
		logs, inverses, squares := 0.0, 0.0, 0.0
		for j := s.starts[i]; j < end; j++ {
			inverse := 1 / (v + x*s.means[j])
			logs -= s.weights[j] * math.Log(inverse)
			inverses += s.weights[j] * inverse
			squares += s.weights[j] * inverse * inverse
		}
		n := s.counts[i]
		sum += n*betaConstant(p*x, q) - (p*x+q)*logs
		if gradient != nil {
			digammaSum := mathext.Digamma(p*x + q)
			dp += n*x*(digammaSum-mathext.Digamma(p*x)) - x*logs
			dq += n*(digammaSum-mathext.Digamma(q)) - logs
			dv -= (p*x + q) * inverses
		}
		if second != nil {
			bend := n * trigamma(p*x+q)
			pp += x * x * (bend - n*trigamma(p*x))
			pq += x * bend
			pv -= x * inverses
			qq += bend - n*trigamma(q)
			qv -= inverses
			vv += (p*x + q) * squares
		}
	}
	if gradient != nil {
		gradient[0], gradient[1], gradient[2] = dp, dq, dv
	}
	if second != nil {
		setSymmetric(second, pp, pq, pv, qq, qv, vv)
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

// Endless says whether the model has no mean amount of a customer who never bought again: with q of 1 or less so many customers
// spend so much that a mean would be infinite.
func (f *SpendFit) Endless() bool { return f.Parameters[1].Value <= 1 }

// Warning says what not to rely on when the model has no mean, see Endless; it is empty otherwise.
func (f *SpendFit) Warning() string {
	if !f.Endless() {
		return ""
	}
	return fmt.Sprintf("q = %.4g: with q of 1 or less Gamma-Gamma has no mean amount; it says nothing of customers who never bought "+
		"again, and what it expects of the others hangs on few great amounts", f.Parameters[1].Value)
}

// Expected is the expected amount of a purchase of a customer with x repeat purchases of a mean amount; NaN where there is no
// mean, see Endless.
func (f *SpendFit) Expected(s Spend) float64 {
	p, q, v := f.Parameters[0].Value, f.Parameters[1].Value, f.Parameters[2].Value
	x := s.known()
	if p*x+q <= 1 {
		return math.NaN()
	}
	return p * (v + x*s.Mean) / (p*x + q - 1)
}

// known are the repeat purchases that say something of the amount.
func (s Spend) known() float64 {
	if s.X <= 0 || !(s.Mean > 0) {
		return 0
	}
	return float64(s.X)
}

// Deviation is the standard error of the logarithm of Expected, by the uncertainty of the parameters; NaN when the fit has
// no standard errors.
func (f *SpendFit) Deviation(s Spend) float64 {
	p, q, v := f.Parameters[0].Value, f.Parameters[1].Value, f.Parameters[2].Value
	x := s.known()
	rest := p*x + q - 1
	if f.covariance == nil || rest <= 0 {
		return math.NaN()
	}
	slope := mat.NewVecDense(3, []float64{1 - p*x/rest, -q / rest, v / (v + x*s.Mean)})
	return math.Sqrt(mat.Inner(slope, f.covariance, slope))
}

// RestoreSpend makes a fit of parameters that were kept; it has no standard errors.
func RestoreSpend(p, q, v float64) (*SpendFit, error) {
	parameters, err := restore([]string{"p", "q", "v"}, []float64{p, q, v})
	return &SpendFit{Parameters: parameters}, err
}
