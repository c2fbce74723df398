package clv_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/warehousetest"
)

// repeated are purchases of each customer every so many days.
func repeated(customers, times, days int, value string) []movement {
	var out []movement
	for c := range customers {
		for i := range times {
			out = append(out, movement{customer: uint64(c + 1), day: warehousetest.Day("2020-01-01").AddDate(0, 0, i*days), value: value})
		}
	}
	return out
}

// Whatever a bank holds, a run gives numbers or says why it has none.
func TestExtremes(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	cases := []struct {
		name       string
		movements  []movement
		asOf       string
		predicts   bool
		definition *definitionv1.ClvDefinition
	}{
		{"one purchase in all", repeated(1, 1, 1, "10"), "2024-01-31", false, nil},
		{"one customer", repeated(1, 100, 7, "10"), "2024-01-31", false, nil},
		{"everybody bought today", repeated(50, 1, 1, "10"), "2020-01-01", false, nil},
		{"everybody bought once", repeated(50, 1, 1, "10"), "2024-01-31", false, nil},
		{"all are equal", repeated(50, 10, 30, "10"), "2021-01-31", true, nil},
		{"nobody spent anything", repeated(50, 10, 30, "0"), "2021-01-31", true, nil},
		{"a quiet bank", repeated(50, 10, 3, "10"), "2040-01-31", true, nil},
		{"purchases every day of 27 years", repeated(100, 10_000, 1, "1"), "2049-01-31", true, nil},
		{"large amounts", append(repeated(50, 10, 30, "10"), repeated(20, 4, 41, "99999999999999999.9999")...), "2021-01-31", true, nil},
		{
			"a long horizon", append(repeated(50, 10, 30, "10"), repeated(30, 3, 50, "20")...), "2021-01-31", true,
			&definitionv1.ClvDefinition{HorizonDays: 36500, AnnualDiscountRate: 10, UnitDays: 366, HoldoutDays: 3660, HalfLifeDays: 1},
		},
	}
	for _, c := range cases {
		b.clear(t)
		b.load(t, c.movements...)
		run := b.run(t, c.asOf, c.definition)
		model := b.model(t, run, 0, "")
		if c.predicts != (model.GetRefusal() == "") || c.predicts != (run.GetPredicted() > 0) {
			t.Errorf("%s: %d values are foretold, refusal %q", c.name, run.GetPredicted(), model.GetRefusal())
		}
		for _, v := range b.values(t, run, predictive, 10_000) {
			if c.predicts != (v.GetPredictive() != nil) || !finite(v) {
				t.Errorf("%s: %s", c.name, protojson.Format(v))
				break
			}
		}
	}
}

// finite says whether all numbers are numbers.
func finite(v *analyticsv1.ClvValue) bool {
	all := []float64{v.GetMeanAmount(), v.GetMarginShare(), v.GetExpectedAmount(), v.GetPercentile()}
	for _, e := range []*analyticsv1.ClvEstimate{v.GetPAlive(), v.GetExpectedPurchases()} {
		all = append(all, e.GetValue(), e.GetLow(), e.GetHigh())
	}
	for _, f := range all {
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return false
		}
	}
	return true
}

// Amounts that differ so much between customers that Gamma-Gamma has no mean: the run, its model and each explanation say so, and
// who never bought again is expected to spend the mean of the others.
func TestEndlessAmounts(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	var movements []movement
	for c := range 60 {
		for i := range 1 + c%7 {
			movements = append(movements, movement{
				customer: uint64(c + 1), day: warehousetest.Day("2020-01-01").AddDate(0, 0, c%5+i*(9+c)), value: fmt.Sprintf("%d", (10+i)*int(math.Pow10(c%9))),
			})
		}
	}
	b.load(t, movements...)
	answer, err := b.tryRun(t, "2021-06-30", &definitionv1.ClvDefinition{Models: []definitionv1.ClvModel{bgNBD}})
	if err != nil {
		t.Fatal(err)
	}
	run := answer.GetRun()
	model := b.model(t, run, 0, "")
	warned := strings.Join(answer.GetWarnings(), "\n")
	if text := model.GetAmounts().GetWarning(); !strings.Contains(text, "no mean amount") || !strings.Contains(warned, text) {
		t.Fatalf("the model %v, warnings %q", model.GetAmounts(), warned)
	}
	again, err := b.server.GetClvRun(t.Context(), &analyticsv1.GetClvRunRequest{RunId: run.GetRunId()})
	if err != nil || strings.Join(again.GetWarnings(), "\n") != warned {
		t.Errorf("read again: %q, %v", again.GetWarnings(), err)
	}
	for _, v := range b.values(t, run, predictive, 10_000) {
		if !finite(v) || v.GetRepeats() == 0 && v.GetExpectedAmount() != model.GetAmountMean() {
			t.Errorf("%s, the mean is %g", protojson.Format(v), model.GetAmountMean())
		}
	}
	if e := b.explain(t, run, 1); e.GetModel().GetAmounts().GetWarning() != model.GetAmounts().GetWarning() {
		t.Errorf("the explanation says %v", e.GetModel())
	}
}
