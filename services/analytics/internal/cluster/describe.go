package cluster

import (
	"tandem.bank/pkg/mixture"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/customerfact"
)

// describe finds a rule for each cluster with the customers of the sample.
func describe(
	spec *definitionv1.ClusteringDefinition, facts []*customerfact.Fact, model *Model, fitted *mixture.Model, sample [][]*float64,
) []*Rule {
	scorer, of, point := fitted.Scorer(), make([]int, min(len(sample), ruleSample)), []float64(nil)
	for i := range of {
		point = model.Space.place(sample[i], point)
		of[i], _ = scorer.Score(point)
	}
	maker := newRuleMaker(facts, sample, of)
	rules := make([]*Rule, len(model.Numbers))
	for g := range rules {
		rules[g] = maker.find(g, int(spec.GetRuleComparisons()))
	}
	return rules
}
