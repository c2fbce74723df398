package cluster

import (
	"cmp"
	"context"
	"slices"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/date"
	"tandem.bank/pkg/mixture"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	"tandem.bank/services/analytics/internal/division"
	"tandem.bank/services/analytics/internal/snapshot"
)

// ExplainCluster explains a customer's place.
//
//nolint:gosec // versions far below the limits, customer numbers are positive
func (s *Server) ExplainCluster(ctx context.Context, req *analyticsv1.ExplainClusterRequest) (*analyticsv1.ExplainClusterResponse, error) {
	of, err := division.CallerScope(ctx)
	if err != nil {
		return nil, err
	}
	run, result, err := s.found(ctx, req.GetRunId(), req.GetDefinition())
	if err != nil {
		return nil, err
	}
	member, err := s.service.store.member(ctx, run, uint64(req.GetCustomerId()))
	if err != nil {
		return nil, snapshot.Public(err)
	}
	if member == nil || !of.Admits(member.BranchID) {
		return nil, apperr.NotFound("customer %d is not in run %s of %s, or not of your branches", req.GetCustomerId(), run.ID, run.Definition)
	}
	answer := &analyticsv1.ExplainClusterResponse{
		RunId: run.ID.String(), Definition: run.Definition, DefinitionVersion: int64(run.Version), AsOf: date.Proto(run.AsOf),
		Member: memberToProto(*member, result.Model.Numbers),
	}
	if p, ok := result.profile(member.Cluster); ok && p.Rule != nil {
		answer.Rule, answer.RuleHolds = ruleToProto(p), p.Rule.holds(member.Values)
	}
	return answer, s.evidence(ctx, result, *member, answer)
}

// evidence is what each fact says for the customer's cluster and against the next likely one.
func (s *Server) evidence(ctx context.Context, result *Result, m Member, answer *analyticsv1.ExplainClusterResponse) error {
	catalogue, err := s.service.facts.Catalogue(ctx)
	if err != nil {
		return err
	}
	model, err := result.Model.restored()
	if err != nil {
		return err
	}
	own := slices.Index(result.Model.Numbers, m.Cluster)
	next := own
	if likeliest := answer.GetMember().GetProbabilities(); len(likeliest) > 1 {
		answer.NextCluster = likeliest[1].GetCluster()
		next = slices.Index(result.Model.Numbers, uint32(answer.GetNextCluster())) //nolint:gosec // a number of a cluster
	}
	odds := newOdds(result.Model.Space, model, m, own, next)
	answer.LogOdds, answer.Prior = odds.total, odds.prior
	centres := result.Model.centres()
	for j, axis := range result.Model.Space {
		title, unit := titled(catalogue, axis.Fact)
		answer.Facts = append(answer.Facts, &analyticsv1.ClusterEvidence{
			Fact: axis.Fact, Title: title, Unit: unit, Value: m.Values[j], ClusterCentre: centres[own][j], NextCentre: centres[next][j],
			BaseMean: result.Base[j].Mean, Contribution: odds.facts[j],
		})
	}
	slices.SortStableFunc(answer.GetFacts(), func(a, b *analyticsv1.ClusterEvidence) int {
		return -cmp.Compare(a.GetContribution(), b.GetContribution())
	})
	return nil
}

// odds of a cluster against another one for a customer: ln(p/q), split into what each fact contributes, half the difference of
// its parts of the squared distances, and a rest that hangs on no fact.
type odds struct {
	total, prior float64
	facts        []float64
}

func newOdds(space Space, model *mixture.Model, m Member, own, next int) odds {
	scorer, point := model.Scorer(), space.place(m.Values, nil)
	out := odds{facts: make([]float64, len(space))}
	near, far := make([]float64, len(point)), make([]float64, len(point))
	scorer.Parts(own, point, near)
	scorer.Parts(next, point, far)
	out.total = scorer.LogOdds(own, next, point)
	out.prior = out.total
	used := 0
	for j, axis := range space {
		if axis.used() {
			out.facts[j] = (far[used] - near[used]) / 2
			out.prior -= out.facts[j]
			used++
		}
	}
	return out
}
