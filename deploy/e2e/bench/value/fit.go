package main

import (
	"math"
	"runtime"
	"syscall"
	"time"

	"gonum.org/v1/gonum/optimize"

	"tandem.bank/pkg/btyd"
)

// history is what the models see of a customer.
type history struct {
	btyd.History
	mean float64
}

// onOneCore tells how much time of a processor some work took, on one core: a busy machine makes it no longer.
func onOneCore(work func() error) (time.Duration, error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	before := cpu()
	err := work()
	return cpu() - before, err
}

func cpu() time.Duration {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		return 0
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

// fit groups histories, and fits BG/NBD and Gamma-Gamma.
func fit(histories []history) error {
	counts, spends := make([]btyd.History, len(histories)), make([]btyd.Spend, len(histories))
	for i, h := range histories {
		counts[i], spends[i] = h.History, btyd.Spend{X: h.X, Mean: h.mean}
	}
	data, err := btyd.NewData(counts, unitDays)
	if err != nil {
		return err
	}
	if _, err := btyd.FitCounts(btyd.BGNBD, data); err != nil {
		return err
	}
	_, err = btyd.FitSpend(spends)
	return err
}

// fitPlainly is the plain way: the formulas of the papers, row by row, without a gradient.
func fitPlainly(histories []history) error {
	counts := func(logs []float64) float64 {
		r, alpha, a, b := math.Exp(logs[0]), math.Exp(logs[1]), math.Exp(logs[2]), math.Exp(logs[3])
		sum := 0.0
		for _, h := range histories {
			sum += countLikelihood(r, alpha, a, b, float64(h.X), float64(h.TX)/unitDays, float64(h.T)/unitDays)
		}
		return -sum / float64(len(histories))
	}
	if _, err := optimize.Minimize(optimize.Problem{Func: counts}, []float64{0, 0, 0, 0}, nil, &optimize.NelderMead{}); err != nil {
		return err
	}
	spends := func(logs []float64) float64 {
		p, q, v := math.Exp(logs[0]), math.Exp(logs[1]), math.Exp(logs[2])
		sum := 0.0
		for _, h := range histories {
			if h.X > 0 && h.mean > 0 {
				sum += spendLikelihood(p, q, v, float64(h.X), h.mean)
			}
		}
		return -sum / float64(len(histories))
	}
	_, err := optimize.Minimize(optimize.Problem{Func: spends}, []float64{0, 0, 0}, nil, &optimize.NelderMead{})
	return err
}

func lgamma(z float64) float64 { v, _ := math.Lgamma(z); return v }

// countLikelihood is equation 6 of Fader, Hardie and Lee 2005.
func countLikelihood(r, alpha, a, b, x, tx, t float64) float64 {
	common := lgamma(r+x) - lgamma(r) + r*math.Log(alpha)
	still := lgamma(a+b) + lgamma(b+x) - lgamma(b) - lgamma(a+b+x) - (r+x)*math.Log(alpha+t)
	if x == 0 {
		return common + still
	}
	left := lgamma(a+b) + lgamma(b+x-1) + math.Log(a) - lgamma(b) - lgamma(a+b+x) - (r+x)*math.Log(alpha+tx)
	most := max(still, left)
	return common + most + math.Log(math.Exp(still-most)+math.Exp(left-most))
}

// spendLikelihood is equation 1a of Fader and Hardie 2013.
func spendLikelihood(p, q, v, x, z float64) float64 {
	return lgamma(p*x+q) - lgamma(p*x) - lgamma(q) + q*math.Log(v) + (p*x-1)*math.Log(z) + p*x*math.Log(x) - (p*x+q)*math.Log(v+x*z)
}
