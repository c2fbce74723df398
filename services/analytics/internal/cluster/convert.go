package cluster

import (
	"cmp"
	"context"
	"math"
	"slices"

	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/date"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/customerfact"
	"tandem.bank/services/analytics/internal/division"
)

// runToProto renders a run with its clusters.
//
//nolint:gosec // counts, numbers and versions far below the limits
func (s *Server) runToProto(ctx context.Context, run division.Run) (*analyticsv1.ClusteringRun, error) {
	result, err := resultOf(run)
	if err != nil {
		return nil, err
	}
	spec := &definitionv1.ClusteringDefinition{}
	if err := run.Spec(spec); err != nil {
		return nil, err
	}
	catalogue, err := s.service.facts.Catalogue(ctx)
	if err != nil {
		return nil, err
	}
	m := result.Model
	answer := &analyticsv1.ClusteringRun{
		RunId: run.ID.String(), Definition: run.Definition, DefinitionVersion: int64(run.Version), AsOf: date.Proto(run.AsOf),
		Method: spec.GetMethod(), Customers: int64(run.Customers), SampleCustomers: int64(m.Sample), Iterations: int32(m.Iterations),
		Converged: m.Converged, LogLikelihood: m.LogLikelihood, PreviousRunId: m.Previous, ComputedTime: timestamppb.New(run.ComputedTime),
	}
	if !run.NewestEventTime.IsZero() {
		answer.NewestEventTime = timestamppb.New(run.NewestEventTime)
	}
	for _, t := range m.Trials {
		answer.Trials = append(answer.Trials, &analyticsv1.ClusteringTrial{
			Clusters: int32(t.Clusters), LogLikelihood: t.LogLikelihood, Parameters: int32(t.Parameters), Bic: t.BIC,
			Converged: t.Converged, Refusal: t.Refusal,
		})
	}
	for j, axis := range m.Space {
		title, unit := titled(catalogue, axis.Fact)
		answer.Facts = append(answer.Facts, &analyticsv1.ClusteringFactScale{
			Fact: axis.Fact, Title: title, Unit: unit, Scale: spec.GetFacts()[j].GetScale(), Mean: result.Base[j].Mean,
			Deviation: result.Base[j].deviation(), Known: int64(result.Base[j].Known), Constant: !axis.used(),
		})
	}
	for _, p := range result.Profiles {
		answer.Clusters = append(answer.Clusters, clusterToProto(catalogue, run, result, p))
	}
	return answer, nil
}

// titled is a fact for people; one that is gone from the catalogue keeps its name.
func titled(catalogue *customerfact.Catalogue, name string) (title, unit string) {
	if f, ok := catalogue.Fact(name); ok {
		return f.Title, f.Unit
	}
	return name, ""
}

//nolint:gosec // counts and numbers far below the limits
func clusterToProto(catalogue *customerfact.Catalogue, run division.Run, result *Result, p Profile) *analyticsv1.Cluster {
	out := &analyticsv1.Cluster{
		Number: int32(p.Number), Segment: run.Segment(key(p.Number)), Customers: int64(p.Customers), MeanProbability: p.Probability,
		IsNew: slices.Contains(result.Model.New, p.Number), Rule: ruleToProto(p),
	}
	if run.Customers > 0 {
		out.Share = float64(p.Customers) / float64(run.Customers)
	}
	for _, j := range result.telling(p) {
		name := result.Model.Space[j].Fact
		title, unit := titled(catalogue, name)
		difference := result.difference(p, j)
		out.Facts = append(out.Facts, &analyticsv1.ClusterFact{
			Fact: name, Title: title, Unit: unit, Mean: p.Facts[j].Mean, BaseMean: result.Base[j].Mean, Difference: difference,
			Known: int64(p.Facts[j].Known), Distinguishing: math.Abs(difference) >= distinguishingMin,
		})
	}
	return out
}

// ruleToProto is nil for a cluster without a rule.
func ruleToProto(p Profile) *analyticsv1.ClusterRule {
	if p.Rule == nil {
		return nil
	}
	out := &analyticsv1.ClusterRule{Filter: p.Rule.text(), Customers: int64(p.Rule.Customers)} //nolint:gosec // a count
	if p.Rule.Customers > 0 {
		out.Precision = float64(p.Rule.Hits) / float64(p.Rule.Customers)
	}
	if p.Customers > 0 {
		out.Recall = float64(p.Rule.Hits) / float64(p.Customers)
	}
	return out
}

//nolint:gosec // numbers of customers and clusters come from int64s and stay below
func memberToProto(m Member, numbers []uint32) *analyticsv1.ClusterMember {
	out := &analyticsv1.ClusterMember{CustomerId: int64(m.CustomerID), Cluster: int32(m.Cluster)}
	for g, number := range numbers {
		if number == m.Cluster {
			out.Probability = m.Probabilities[g]
		}
		out.Probabilities = append(out.Probabilities, &analyticsv1.ClusterProbability{Cluster: int32(number), Probability: m.Probabilities[g]})
	}
	slices.SortStableFunc(out.GetProbabilities(), func(a, b *analyticsv1.ClusterProbability) int {
		return -cmp.Compare(a.GetProbability(), b.GetProbability())
	})
	return out
}
