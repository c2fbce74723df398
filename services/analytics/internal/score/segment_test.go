package score_test

import (
	"slices"
	"testing"

	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/warehousetest"
)

// askingSegments is a scorecard that is about segments and shares of everybody.
func askingSegments(population string) *definitionv1.ScorecardDefinition {
	when := func(name, filter string, points float64) *definitionv1.ScoreCriterion {
		return &definitionv1.ScoreCriterion{Name: name, Rule: &definitionv1.ScoreCriterion_When{When: &definitionv1.ScoreWhen{Filter: filter, Points: points}}}
	}
	return &definitionv1.ScorecardDefinition{Population: population, Dimensions: []*definitionv1.ScoreDimension{{
		Name: "all", Criteria: []*definitionv1.ScoreCriterion{
			when("busy", `segment("busy")`, 5), when("idle", `bottom(transactions_90d, 10%) AND NOT segment("busy")`, 7),
			when("grown", `segment("grown")`, 11),
		},
	}}}
}

// Criteria and the population ask for segments, which refer to others, and for the greatest and the least of all customers, on the
// day of the run.
func TestScorecardAsksForSegments(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.customersByHand(t)
	b.load(t, warehousetest.Dynamic("grown", "age >= 18"))
	b.load(t, warehousetest.Dynamic("busy", `segment("grown") AND top(transactions_90d, 10%)`))
	ref := b.define(t, "x", 1, scorecard(askingSegments(`NOT segment("busy") OR segment("grown")`)))
	for _, day := range []string{"2026-03-10", "2026-03-05"} {
		if run := b.run(t, ref, day); run.GetCustomers() != 3 {
			t.Errorf("%s: %v", day, run)
		}
		for customer, want := range map[int64][]float64{1: {5, 0, 11}, 2: {0, 7, 0}, 3: {0, 7, 11}} {
			if got := contributions(b.explain(t, "x", customer)); !slices.Equal(got, want) {
				t.Errorf("%s: customer %d has %v, not %v", day, customer, got, want)
			}
		}
	}
	b.load(t, warehousetest.Dynamic("of_score", "score.x > 3"))
	for population, want := range map[string]string{
		`segment("grow")`:                      `population: at character 9: segment: there is no segment "grow"; did you mean "grown"?`,
		`age > 3 AND top(kind, 10%)`:           "population: at character 23: top: only numbers have the greatest and the least",
		`age > 3 AND NOT segment("of_score")`:  "population: definitions refer to each other in a circle: x → of_score → x",
		`segment("busy") AND bottom(agee, 1%)`: `population: at character 28: "agee" is not a field of this list; did you mean "age"?`,
	} {
		if got := b.compile(t, scorecard(askingSegments(population))); !slices.Equal(got, []string{want}) {
			t.Errorf("%s: %q, want %q", population, got, want)
		}
	}
}

// A model whose population and target are segments learns what the one with their expressions does: each of its own day.
func TestModelAsksForSegments(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.drawn(t, 1000)
	b.load(t, warehousetest.Dynamic("held", "accounts_open > 0"))
	b.load(t, warehousetest.Dynamic("closed", `NOT segment("held")`))
	spec := closing()
	spec.Population, spec.Target = `segment("held") AND top(accounts_open, 99%)`, `segment("closed") AND bottom(accounts_open, 1%)`
	same, err := b.train(t, b.define(t, "by_segment", 1, model(spec)), "2026-01-31")
	if err != nil {
		t.Fatal(err)
	}
	plain, err := b.train(t, b.define(t, "plain", 1, model(closing())), "2026-01-31")
	if err != nil {
		t.Fatal(err)
	}
	if same.GetTraining().GetEvents() == 0 || same.GetTraining().GetEvents() != plain.GetTraining().GetEvents() ||
		same.GetHoldout().GetAuc() != plain.GetHoldout().GetAuc() {
		t.Errorf("by segments %v\nand plain %v", same.GetTraining(), plain.GetTraining())
	}
}
