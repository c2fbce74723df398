package btyd_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"tandem.bank/pkg/btyd"
)

// A forecast of many equals the estimates one by one, and so does one by parameters that were kept.
func TestForecastEqualsEstimates(t *testing.T) {
	t.Parallel()
	histories := world{btyd.BGNBD, [4]float64{0.243, 4.414, 0.793, 2.426}}.histories(7, 4_000)
	d, err := btyd.NewData(histories, 7)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range btyd.Kinds {
		fit, err := btyd.FitCounts(kind, d)
		if err != nil {
			t.Fatal(err)
		}
		values := make([]float64, len(fit.Parameters))
		for i, p := range fit.Parameters {
			values[i] = p.Value
		}
		kept, err := btyd.Restore(kind, 7, values)
		if err != nil {
			t.Fatal(err)
		}
		many, again := fit.Forecast(52, 0.002, 0.95), kept.Forecast(52, 0.002, 0.95)
		for _, h := range histories[:200] {
			got, want := many.Of(h), fit.ExpectedInterval(h, 52, 0.002)
			if !near(got.Purchases.Value, want.Value, 1e-12) || !near(got.Purchases.Low, want.Low, 1e-5) || !near(got.Purchases.High, want.High, 1e-5) {
				t.Fatalf("%s: %v is foretold %v, one by one %v", kind, h, got.Purchases, want)
			}
			if a := got.Alive; a.Value != fit.Alive(h) || !(a.Low <= a.Value && a.Value <= a.High && a.Low >= 0 && a.High <= 1) {
				t.Fatalf("%s: %v is there with %v, one by one %g", kind, h, a, fit.Alive(h))
			}
			if o := again.Of(h); o.Purchases.Value != got.Purchases.Value || !math.IsNaN(o.Deviation) {
				t.Fatalf("%s: by kept parameters %v, want %v", kind, o, got)
			}
		}
	}
}

// Data that were counted before give the same fits.
func TestGroupsEqualRows(t *testing.T) {
	t.Parallel()
	histories := world{btyd.BGNBD, [4]float64{0.243, 4.414, 0.793, 2.426}}.histories(8, 2_000)
	counts, groups := map[btyd.History]int{}, []btyd.Group{}
	for _, h := range histories {
		counts[h]++
	}
	for h, n := range counts {
		groups = append(groups, btyd.Group{History: h, Customers: n})
	}
	rows, err := btyd.NewData(histories, 7)
	if err != nil {
		t.Fatal(err)
	}
	counted, err := btyd.NewGroupedData(groups, 7)
	if err != nil {
		t.Fatal(err)
	}
	a, errA := btyd.FitCounts(btyd.BGNBD, rows)
	b, errB := btyd.FitCounts(btyd.BGNBD, counted)
	if errA != nil || errB != nil || a.LogLikelihood != b.LogLikelihood || a.Customers != b.Customers {
		t.Errorf("rows give %v %v, groups %v %v", a, errA, b, errB)
	}
	var spends []btyd.Spend
	var spendGroups []btyd.SpendGroup
	random := rand.New(rand.NewPCG(1, 1))
	for i := range 300 {
		x := 1 + i%7
		spend := btyd.Spend{X: x, Mean: math.Exp(3 + 0.5*random.NormFloat64() + 0.6*random.NormFloat64()/math.Sqrt(float64(x)))}
		spendGroups = append(spendGroups, btyd.SpendGroup{Spend: spend, Customers: 1 + i%3})
		for range 1 + i%3 {
			spends = append(spends, spend)
		}
	}
	c, errC := btyd.FitSpend(spends)
	e, errE := btyd.FitSpendGroups(spendGroups)
	if errC != nil || errE != nil || !near(c.LogLikelihood, e.LogLikelihood, 1e-7) || c.Customers != e.Customers {
		t.Errorf("rows give %v %v, groups %v %v", c, errC, e, errE)
	}
	kept, err := btyd.RestoreSpend(c.Parameters[0].Value, c.Parameters[1].Value, c.Parameters[2].Value)
	if err != nil || kept.Expected(spends[0]) != c.Expected(spends[0]) {
		t.Errorf("by kept parameters %v %v", kept, err)
	}
	if s := c.Deviation(spends[0]); !(s > 0 && s < 1) || !math.IsNaN(kept.Deviation(spends[0])) {
		t.Errorf("standard error of the amount is %g, without a fit %g", s, kept.Deviation(spends[0]))
	}
}

func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	for name, values := range map[string][]float64{"too few": {1, 2, 3}, "zero": {1, 0, 1, 1}, "no number": {1, math.NaN(), 1, 1}} {
		if fit, err := btyd.Restore(btyd.BGNBD, 7, values); err == nil {
			t.Errorf("%s: %v", name, fit)
		}
	}
	if _, err := btyd.Restore("other", 7, []float64{1, 1, 1, 1}); err == nil {
		t.Error("an unknown kind was restored")
	}
	if _, err := btyd.NewGroupedData([]btyd.Group{{History: btyd.History{T: 1}, Customers: -1}}, 7); err == nil {
		t.Error("a group of a negative size was taken")
	}
}

func near(a, b, tolerance float64) bool { return math.Abs(a-b) <= tolerance*math.Max(1, math.Abs(b)) }
