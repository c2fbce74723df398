package bank

import (
	"math"
	"strconv"
	"testing"
	"time"
)

// history of one customer's purchases as a model sees it, in weeks: x repeat purchase days, the last at tx, observed
// until T after the first; spend is the mean of the repeat days.
type buyer struct {
	x     float64
	tx, T float64
	spend float64
}

// buyersOf reads purchases from the transactions alone and merges those of one day, as one who knows no hour has to.
func buyersOf(t *testing.T, dir string, summary Summary) []buyer {
	t.Helper()
	end, err := time.Parse(time.DateOnly, summary.End)
	if err != nil {
		t.Fatal(err)
	}
	type track struct {
		first, last time.Time
		days        int
		sum         float64
	}
	var order []string
	tracks := map[string]*track{}
	each(t, dir, "transactions", func(r row) {
		if r["kind"] != kindCardPayment {
			return
		}
		day, err := time.Parse(time.DateOnly, r["business_date"])
		if err != nil {
			t.Fatal(err)
		}
		amount := r.number(t, "amount")
		found, ok := tracks[r["account"]]
		switch {
		case !ok:
			tracks[r["account"]] = &track{first: day, last: day}
			order = append(order, r["account"])
		case day.Equal(found.first):
		case day.Equal(found.last):
			found.sum += amount
		default:
			found.last, found.days, found.sum = day, found.days+1, found.sum+amount
		}
	})
	weeks := func(from, to time.Time) float64 { return to.Sub(from).Hours() / 24 / 7 }
	buyers := make([]buyer, len(order))
	for i, account := range order {
		f := tracks[account]
		buyers[i] = buyer{x: float64(f.days), tx: weeks(f.first, f.last), T: weeks(f.first, end)}
		if f.days > 0 {
			buyers[i].spend = f.sum / float64(f.days)
		}
	}
	return buyers
}

func lgamma(x float64) float64 { y, _ := math.Lgamma(x); return y }

func lbeta(a, b float64) float64 { return lgamma(a) + lgamma(b) - lgamma(a+b) }

// likelihood is the log-likelihood of the BG/NBD model (Fader, Hardie & Lee 2005, equation 6).
func likelihood(buyers []buyer, r, alpha, a, b float64) float64 {
	sum := 0.0
	for _, c := range buyers {
		common := lgamma(r+c.x) - lgamma(r) + r*math.Log(alpha)
		alive := lbeta(a, b+c.x) - lbeta(a, b) - (r+c.x)*math.Log(alpha+c.T)
		if c.x == 0 {
			sum += common + alive
			continue
		}
		gone := lbeta(a+1, b+c.x-1) - lbeta(a, b) - (r+c.x)*math.Log(alpha+c.tx)
		high := math.Max(alive, gone)
		sum += common + high + math.Log(math.Exp(alive-high)+math.Exp(gone-high))
	}
	return sum
}

// fit climbs to the maximum by steps along each logarithm that halve when none helps.
func fit(f func(x []float64) float64, x []float64) []float64 {
	best := f(x)
	for step := 0.4; step > 1e-4; {
		better := false
		for i := range x {
			for _, factor := range []float64{math.Exp(step), math.Exp(-step)} {
				x[i] *= factor
				if value := f(x); value > best {
					best, better = value, true
				} else {
					x[i] /= factor
				}
			}
		}
		if !better {
			step /= 2
		}
	}
	return x
}

func near(t *testing.T, what string, got, want, relative float64) {
	t.Helper()
	t.Logf("%s: %.4f, true %.4f", what, got, want)
	if math.Abs(got/want-1) > relative {
		t.Errorf("%s is %.4f, want %.4f within %.0f %%", what, got, want, relative*100)
	}
}

// TestPurchaseModelIsFoundAgain fits the BG/NBD model to the transactions. With 3000 buyers the standard errors are
// about 3 % of r, 4 % of α and 10 % of a and b; what matters most, the two means, is known better.
func TestPurchaseModelIsFoundAgain(t *testing.T) {
	t.Parallel()
	dir, summary := sharedBank(t)
	buyers := buyersOf(t, dir, summary)
	x := fit(func(x []float64) float64 { return likelihood(buyers, x[0], x[1], x[2], x[3]) }, []float64{1, 1, 1, 1})
	t.Logf("%d buyers", len(buyers))
	near(t, "r", x[0], Process.R, 0.12)
	near(t, "α", x[1], Process.Alpha, 0.15)
	near(t, "a", x[2], Process.A, 0.35)
	near(t, "b", x[3], Process.B, 0.35)
	near(t, "mean rate", x[0]/x[1], Process.R/Process.Alpha, 0.08)
	near(t, "mean stop", x[2]/(x[2]+x[3]), Process.A/(Process.A+Process.B), 0.12)
}

// TestSpendModelIsFoundAgain fits the Gamma-Gamma model to mean spendings per repeat purchase (Fader & Hardie 2013).
func TestSpendModelIsFoundAgain(t *testing.T) {
	t.Parallel()
	dir, summary := sharedBank(t)
	buyers := buyersOf(t, dir, summary)
	x := fit(func(x []float64) float64 {
		p, q, v := x[0], x[1], x[2]
		sum := 0.0
		for _, c := range buyers {
			if c.x == 0 {
				continue
			}
			n := p * c.x
			sum += lgamma(n+q) - lgamma(n) - lgamma(q) + q*math.Log(v) + (n-1)*math.Log(c.spend) +
				n*math.Log(c.x) - (n+q)*math.Log(v+c.x*c.spend)
		}
		return sum
	}, []float64{2, 3, 1000})
	near(t, "p", x[0], Process.SpendP, 0.15)
	near(t, "q", x[1], Process.SpendQ, 0.2)
	near(t, "p·v/(q−1)", x[0]*x[2]/(x[1]-1), Process.MeanSpend(), 0.05)
}

// TestHiddenRatesHaveTheirMoments compares truth.csv with the distributions it was drawn from.
func TestHiddenRatesHaveTheirMoments(t *testing.T) {
	t.Parallel()
	dir, _ := sharedBank(t)
	var n, rate, squares, stop, spend float64
	each(t, dir, "truth", func(r row) {
		n++
		lambda := r.number(t, "rate")
		rate += lambda
		squares += lambda * lambda
		stop += r.number(t, "stop_probability")
		spend += Process.SpendP / r.number(t, "spend_rate")
	})
	// Tolerances are four standard errors of 3000 customers.
	near(t, "mean λ", rate/n, Process.R/Process.Alpha, 4*math.Sqrt(1/Process.R/n))
	near(t, "variance of λ", squares/n-rate/n*rate/n, Process.R/(Process.Alpha*Process.Alpha), 0.25)
	near(t, "mean p", stop/n, Process.A/(Process.A+Process.B), 4*math.Sqrt(Process.B/Process.A/(Process.A+Process.B+1)/n))
	near(t, "mean purchase", spend/n, Process.MeanSpend(), 4*math.Sqrt(1/(Process.SpendQ-2)/n))
}

// TestShareWithoutRepeats compares with the model: P(no repeat until T) = (α / (α + T))^r, for each customer's T.
func TestShareWithoutRepeats(t *testing.T) {
	t.Parallel()
	dir, summary := sharedBank(t)
	horizon := float64(0)
	if start, err := time.Parse(time.DateOnly, summary.Start); err == nil {
		end, _ := time.Parse(time.DateOnly, summary.End)
		horizon = end.AddDate(0, 0, 1).Sub(start).Hours() / 24 / 7
	}
	var n, got, want, variance float64
	each(t, dir, "truth", func(r row) {
		purchases, err := strconv.Atoi(r["purchases"])
		if err != nil || purchases == 0 {
			return
		}
		n++
		if purchases == 1 {
			got++
		}
		p := math.Pow(Process.Alpha/(Process.Alpha+horizon-r.number(t, "first_purchase_week")), Process.R)
		want += p
		variance += p * (1 - p)
	})
	t.Logf("%.0f customers, %.0f without repeats, %.1f expected", n, got, want)
	if math.Abs(got-want) > 4*math.Sqrt(variance) {
		t.Errorf("%.0f customers have no repeat, want %.1f ± %.1f", got, want, 4*math.Sqrt(variance))
	}
}

// TestPurchasesOfOneDayAreRare keeps the promise of the package comment: under three in a hundred merge.
func TestPurchasesOfOneDayAreRare(t *testing.T) {
	t.Parallel()
	dir, summary := sharedBank(t)
	all, days := 0.0, 0.0
	each(t, dir, "truth", func(r row) { all += r.number(t, "purchases") })
	for _, c := range buyersOf(t, dir, summary) {
		days += c.x + 1
	}
	if lost := (all - days) / all; lost < 0 || lost > 0.03 {
		t.Errorf("%.4f of the purchases merge with another of the same day", lost)
	}
}
