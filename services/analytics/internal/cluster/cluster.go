// Package cluster groups customers who are alike by facts (package mixture), describes each group in a few words, and keeps
// every run as it was computed.
//
// A run reads the facts of its day once, into a table of its own; the clusters are found with a sample of bounded size, and
// all customers then stream through to their places. So memory hangs on the sample and not on the customers.
package cluster

import (
	"cmp"
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/mixture"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/customerfact"
	"tandem.bank/services/analytics/internal/population"
)

// Defaults of a definition.
const (
	clustersMinDefault = 2
	clustersMaxDefault = 10
	startsDefault      = 10
	sampleDefault      = 50_000
	floorDefault       = 0.01
	comparisonsDefault = 3
)

// shapes are the models by their names in definitions.
var shapes = map[definitionv1.ClusteringMethod]mixture.Shape{
	definitionv1.ClusteringMethod_CLUSTERING_METHOD_K_MEANS:           mixture.Spherical,
	definitionv1.ClusteringMethod_CLUSTERING_METHOD_GAUSSIAN_DIAGONAL: mixture.Diagonal,
	definitionv1.ClusteringMethod_CLUSTERING_METHOD_GAUSSIAN_FULL:     mixture.Full,
}

// complete fills in the defaults.
func complete(spec *definitionv1.ClusteringDefinition) *definitionv1.ClusteringDefinition {
	out := proto.CloneOf(spec)
	out.Method = cmp.Or(out.GetMethod(), definitionv1.ClusteringMethod_CLUSTERING_METHOD_GAUSSIAN_DIAGONAL)
	if fixed := out.GetClusters(); fixed > 0 {
		out.ClustersMin, out.ClustersMax = fixed, fixed
	}
	out.ClustersMin = cmp.Or(out.GetClustersMin(), clustersMinDefault)
	out.ClustersMax = cmp.Or(out.GetClustersMax(), clustersMaxDefault)
	out.Starts = cmp.Or(out.GetStarts(), startsDefault)
	out.SampleCustomers = cmp.Or(out.GetSampleCustomers(), sampleDefault)
	out.VarianceFloor = cmp.Or(out.GetVarianceFloor(), floorDefault)
	out.RuleComparisons = cmp.Or(out.GetRuleComparisons(), comparisonsDefault)
	for _, f := range out.GetFacts() {
		f.Scale = cmp.Or(f.GetScale(), definitionv1.ClusteringScale_CLUSTERING_SCALE_LINEAR)
	}
	return out
}

// Compile checks a definition of a clustering as a run would; it is a definition.Compiler.
func (s *Service) Compile(ctx context.Context, name string, spec *definitionv1.Spec) ([]apperr.Violation, error) {
	catalogue, err := s.facts.Catalogue(ctx)
	if err != nil {
		return nil, err
	}
	wrong, err := population.Problems(ctx, s.segments, name, spec.GetClustering().GetFilter(), spec)
	return append(problems(catalogue, spec.GetClustering()), wrong...), err
}

// problems are what the contract's rules do not see of the facts.
func problems(catalogue *customerfact.Catalogue, spec *definitionv1.ClusteringDefinition) []apperr.Violation {
	var out []apperr.Violation
	seen := map[string]bool{}
	for i, f := range spec.GetFacts() {
		wrong := factProblem(catalogue, f.GetFact())
		if wrong == "" && seen[f.GetFact()] {
			wrong = fmt.Sprintf("%q stands twice", f.GetFact())
		}
		if wrong != "" {
			out = append(out, apperr.Violation{Field: fmt.Sprintf("facts[%d].fact", i), Description: wrong})
		}
		seen[f.GetFact()] = true
	}
	return out
}

// factProblem says why customers can't be told apart by a fact; empty when they can.
func factProblem(catalogue *customerfact.Catalogue, name string) string {
	f, known := catalogue.Fact(name)
	switch {
	case !known:
		return population.Unknown(catalogue, name)
	case f.LevelOf != nil:
		return fmt.Sprintf("%q is a word; take the number that it is the level of, %q", name, f.LevelOf.Name)
	case f.Type == customerfact.Boolean, f.Numeric() && f.Unit != "":
		return ""
	case f.Numeric():
		return fmt.Sprintf("%q is a number by which things are named: no distance between customers", name)
	}
	return fmt.Sprintf("%q is of the type %s; distances are between numbers. It can stand in the filter", name, f.Type)
}
