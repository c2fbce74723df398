package btyd_test

import (
	"math"
	"testing"

	"tandem.bank/pkg/btyd"
)

// Where nobody leaves, the data tell nothing of how customers leave, and the fit says that it is at the boundary of its model. How
// they buy is told all the same, with its standard errors; and so is what they will buy, with its interval.
func TestNobodyLeaves(t *testing.T) {
	t.Parallel()
	w := world{btyd.BGNBD, [4]float64{2, 16, 1e-6, 1}}
	histories := w.histories(1, 3000)
	for _, kind := range btyd.Kinds {
		d, err := btyd.NewData(histories, 7)
		if err != nil {
			t.Fatal(err)
		}
		fit, err := btyd.FitCounts(kind, d)
		if err != nil {
			t.Fatal(err)
		}
		if fit.Converged {
			t.Errorf("%s: it says that it converged: %v", kind, fit.Parameters)
		}
		for i, p := range fit.Parameters[:2] {
			if off := math.Abs(p.Value-w.parameters[i]) / p.StandardError; !(off < 4) {
				t.Errorf("%s: %s is %g ± %g, drawn with %g", kind, p.Name, p.Value, p.StandardError, w.parameters[i])
			}
		}
		of := fit.Forecast(52, 0, 0.95).Of(btyd.History{X: 20, TX: 300, T: 364})
		// With the parameters known: λ is gamma distributed after 20 purchases in 52 weeks.
		want := 52 * (2 + 20) / (16.0 + 52)
		if !(of.Purchases.Low < want && want < of.Purchases.High) || of.Purchases.High > 1.1*of.Purchases.Low {
			t.Errorf("%s: foretold %v, want about %g", kind, of.Purchases, want)
		}
		if !(of.Alive.Value > 0.99) {
			t.Errorf("%s: there with %v", kind, of.Alive)
		}
	}
}
