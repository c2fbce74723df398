package clv_test

import (
	"math"
	"testing"

	"tandem.bank/pkg/testkit/shop"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
)

const (
	holdout = analyticsv1.ClvModelPurpose_CLV_MODEL_PURPOSE_HOLDOUT
	bgNBD   = definitionv1.ClvModel_CLV_MODEL_BG_NBD
)

// The published holdout table of CDNOW comes out of a run over ClickHouse; all other figures are those of the whole path, in
// deploy/e2e/flow. Without CDNOW a shop is drawn with its parameters, and they come out again.
func TestCDNOW(t *testing.T) {
	t.Parallel()
	purchases, published := shop.Open(t)
	movements := make([]movement, len(purchases))
	for i, p := range purchases {
		movements[i] = movement{customer: p.Customer, day: p.Day, value: p.Amount}
	}
	b := newBank(t)
	b.load(t, movements...)
	run := b.run(t, "1998-06-30", &definitionv1.ClvDefinition{Models: []definitionv1.ClvModel{bgNBD}, HoldoutDays: 273, HorizonDays: 364})
	model := b.model(t, run, holdout, "")
	answer, err := b.server.GetClvBacktest(t.Context(), &analyticsv1.GetClvBacktestRequest{})
	if err != nil {
		t.Fatal(err)
	}
	wantBacktest(t, answer.GetBacktest())
	if !published {
		wantDrawn(t, model.GetParameters(), shop.Counts[:])
		wantDrawn(t, model.GetAmounts().GetParameters(), shop.Spends[:])
		return
	}
	if run.GetCustomers() != 2357 {
		t.Errorf("%d customers", run.GetCustomers())
	}
	wantParameters(t, model.GetParameters(), 4, .2426, 4.4136, .7929, 2.4259)
	if got := math.Round(model.GetLogLikelihood()*1000) / 1000; got != -9582.429 {
		t.Errorf("log-likelihood %g", model.GetLogLikelihood())
	}
	if amounts := model.GetAmounts(); amounts.GetCustomers() != 946 || math.Round(amounts.GetLogLikelihood()*1e4)/1e4 != -4055.9177 {
		t.Errorf("amounts %v", amounts)
	}
	wantParameters(t, model.GetAmounts().GetParameters(), 2, 6.25, 3.74, 15.44)
	customers := []int64{1411, 439, 214, 100, 62, 38, 29, 64}
	actual := []float64{.2367, .6970, 1.3925, 1.5600, 2.5323, 2.9474, 3.8621, 6.3594}
	expected := []float64{.2251, .5231, 1.0441, 1.5203, 2.1638, 2.6538, 3.5040, 6.1570}
	// The table was made with parameters of the digits above: the last digit moves by up to two.
	for i, c := range answer.GetBacktest().GetClasses() {
		if c.GetCustomers() != customers[i] || round(c.GetActual(), 4) != actual[i] || math.Abs(c.GetExpected()-expected[i]) > 2e-4 {
			t.Errorf("class %d: %v, want %d %g %g", i, c, customers[i], actual[i], expected[i])
		}
	}
}

// wantBacktest wants the model to beat the naive forecasts, and every customer in a bin.
func wantBacktest(t *testing.T, backtest *analyticsv1.ClvBacktest) {
	t.Helper()
	f := backtest.GetForecasts()
	if len(f) != 3 || f[0].GetMeanAbsoluteError() >= f[1].GetMeanAbsoluteError() || f[0].GetMeanAbsoluteError() >= f[2].GetMeanAbsoluteError() {
		t.Errorf("the model does not beat the naive forecasts: %v", f)
	}
	binned := int64(0)
	for _, bin := range backtest.GetCalibration() {
		binned += bin.GetCustomers()
	}
	if binned != backtest.GetCustomers() {
		t.Errorf("%d customers in the bins, %d in all", binned, backtest.GetCustomers())
	}
}

// wantDrawn wants the parameters that a shop was drawn with, each within four standard errors.
func wantDrawn(t *testing.T, got []*analyticsv1.ClvParameter, want []float64) {
	t.Helper()
	for i, p := range got {
		if !(math.Abs(p.GetValue()-want[i]) < 4*p.GetStandardError()) {
			t.Errorf("%s is %g ± %g, drawn with %g", p.GetName(), p.GetValue(), p.GetStandardError(), want[i])
		}
	}
}

func wantParameters(t *testing.T, got []*analyticsv1.ClvParameter, places int, want ...float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("parameters %v", got)
	}
	for i, p := range got {
		if round(p.GetValue(), places) != want[i] || !(p.GetStandardError() > 0 && p.GetLow() < p.GetValue() && p.GetValue() < p.GetHigh()) {
			t.Errorf("%v, want %g", p, want[i])
		}
	}
}

func round(v float64, places int) float64 {
	scale := math.Pow10(places)
	return math.Round(v*scale) / scale
}
