package btyd_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"tandem.bank/pkg/btyd"
)

func repeated(n int, h btyd.History) []btyd.History {
	all := make([]btyd.History, n)
	for i := range all {
		all[i] = h
	}
	return all
}

// Extreme data give numbers or are refused; nothing is ever NaN, and a fit that did not reach a maximum says so.
func TestExtremeCounts(t *testing.T) {
	t.Parallel()
	varied := make([]btyd.History, 0, 2000)
	for i := range 2000 {
		h := btyd.History{T: 365}
		if i%3 == 0 {
			h.X, h.TX = 1+i%7, 100+i%200
		}
		varied = append(varied, h)
	}
	cases := map[string]struct {
		histories []btyd.History
		refused   bool
	}{
		"nobody":                  {nil, true},
		"one customer":            {[]btyd.History{{X: 3, TX: 50, T: 100}}, true},
		"single purchases":        {repeated(1000, btyd.History{T: 300}), true},
		"watched for no time":     {repeated(1000, btyd.History{}), true},
		"all equal":               {repeated(1000, btyd.History{X: 5, TX: 90, T: 100}), false},
		"a million purchases":     {append(varied, btyd.History{X: 1_000_000, TX: 1_200_000, T: 1_200_001}), false},
		"bought on the last day":  {repeated(100, btyd.History{X: 1, TX: 200, T: 200}), false},
		"bought on the first day": {repeated(100, btyd.History{X: 1, TX: 1, T: 3000}), false},
	}
	for name, c := range cases {
		for _, kind := range btyd.Kinds {
			t.Run(name+"/"+string(kind), func(t *testing.T) {
				t.Parallel()
				d, err := btyd.NewData(c.histories, 7)
				if err != nil {
					t.Fatal(err)
				}
				fit, err := btyd.FitCounts(kind, d)
				if c.refused {
					if !errors.Is(err, btyd.ErrTooLittle) {
						t.Fatalf("error %v, want a refusal", err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				checkNumbers(t, fit, c.histories)
			})
		}
	}
}

func checkNumbers(t *testing.T, fit *btyd.Fit, histories []btyd.History) {
	t.Helper()
	if math.IsNaN(fit.LogLikelihood) || math.IsInf(fit.LogLikelihood, 0) {
		t.Errorf("log-likelihood %v", fit.LogLikelihood)
	}
	for _, p := range fit.Parameters {
		if !(p.Value > 0) || math.IsInf(p.Value, 0) || fit.Converged && math.IsNaN(p.StandardError) {
			t.Errorf("converged %v with %+v", fit.Converged, p)
		}
	}
	for _, h := range []btyd.History{histories[0], histories[len(histories)-1], {}} {
		alive, expected := fit.Alive(h), fit.Expected(h, 52)
		if !(alive >= 0 && alive <= 1) || !(expected >= 0) || math.IsInf(expected, 0) {
			t.Errorf("%+v: P(alive) %v, expected %v", h, alive, expected)
		}
	}
}

func TestExtremeSpends(t *testing.T) {
	t.Parallel()
	same := make([]btyd.Spend, 500)
	zero := make([]btyd.Spend, 500)
	wide := make([]btyd.Spend, 500)
	for i := range same {
		same[i] = btyd.Spend{X: 1 + i%5, Mean: 100}
		zero[i] = btyd.Spend{X: 1 + i%5}
		wide[i] = btyd.Spend{X: 1 + i%5, Mean: math.Pow(10, float64(i%13)-3)}
	}
	for name, spends := range map[string][]btyd.Spend{"none": nil, "all equal": same, "zero spend": zero, "one": {{X: 1, Mean: 5}}} {
		if _, err := btyd.FitSpend(spends); !errors.Is(err, btyd.ErrTooLittle) {
			t.Errorf("%s: error %v, want a refusal", name, err)
		}
	}
	fit, err := btyd.FitSpend(wide)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range fit.Parameters {
		if !(p.Value > 0) || math.IsInf(p.Value, 0) {
			t.Errorf("%+v", p)
		}
	}
}

func TestImpossibleHistories(t *testing.T) {
	t.Parallel()
	for _, h := range []btyd.History{{X: -1}, {X: 1}, {TX: 3, T: 5}, {X: 1, TX: 6, T: 5}, {X: 4, TX: 3, T: 5}, {T: -1}} {
		if _, err := btyd.NewData([]btyd.History{h}, 7); err == nil {
			t.Errorf("%+v was taken", h)
		}
	}
}

// The currency of amounts does not matter: in one of great numbers, and in one of small ones, the same model comes out.
func TestAmountsInAnyUnit(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	gamma := func(shape int) (sum float64) {
		for range shape {
			sum += random.ExpFloat64()
		}
		return sum
	}
	spends := make([]btyd.Spend, 800)
	for i := range spends {
		x := 1 + i%6
		spends[i] = btyd.Spend{X: x, Mean: gamma(5*x) / float64(x) * 40 / gamma(4)}
	}
	want, err := btyd.FitSpend(spends)
	if err != nil || !want.Converged {
		t.Fatalf("%+v, %v", want, err)
	}
	for _, unit := range []float64{1e-200, 1e-3, 1e9, 1e200} {
		scaled := make([]btyd.Spend, len(spends))
		for i, s := range spends {
			scaled[i] = btyd.Spend{X: s.X, Mean: s.Mean * unit}
		}
		got, err := btyd.FitSpend(scaled)
		if err != nil || !got.Converged {
			t.Errorf("amounts times %g: %+v, %v", unit, got, err)
			continue
		}
		shift := float64(len(spends)) * math.Log(unit)
		if math.Abs(got.LogLikelihood+shift-want.LogLikelihood) > 1e-6 {
			t.Errorf("amounts times %g: log-likelihood %g", unit, got.LogLikelihood)
		}
		for i, factor := range []float64{1, 1, unit} {
			p, w := got.Parameters[i], want.Parameters[i]
			if math.Abs(p.Value/(w.Value*factor)-1) > 1e-6 || math.Abs(p.StandardError/(w.StandardError*factor)-1) > 1e-4 {
				t.Errorf("amounts times %g: %+v, want %+v times %g", unit, p, w, factor)
			}
		}
		if amount := got.Expected(scaled[0]); math.Abs(amount/(unit*want.Expected(spends[0]))-1) > 1e-6 {
			t.Errorf("amounts times %g: %g is expected", unit, amount)
		}
	}
}

// With q of 1 or less there is no mean amount of somebody who never bought again; the others have one.
func TestEndlessMean(t *testing.T) {
	t.Parallel()
	fit, err := btyd.RestoreSpend(4, 0.8, 10)
	if err != nil {
		t.Fatal(err)
	}
	if newcomer, known := fit.Expected(btyd.Spend{}), fit.Expected(btyd.Spend{X: 2, Mean: 5}); !fit.Endless() || !math.IsNaN(newcomer) || !(known > 0) {
		t.Errorf("endless %v, %g of a newcomer, %g of a customer who is known", fit.Endless(), newcomer, known)
	}
}
