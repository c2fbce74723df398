package score

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/date"
	"tandem.bank/pkg/logit"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
)

var kinds = map[string]analyticsv1.ScoreKind{
	kindScorecard: analyticsv1.ScoreKind_SCORE_KIND_SCORECARD, kindModel: analyticsv1.ScoreKind_SCORE_KIND_MODEL,
}

//nolint:gosec // counts and versions come from int64s and stay below
func runToProto(r Run) *analyticsv1.ScoreRun {
	run := &analyticsv1.ScoreRun{
		RunId: r.ID.String(), Score: r.Score, DefinitionVersion: int64(r.DefinitionVersion), Kind: kinds[r.Kind], AsOf: date.Proto(r.AsOf),
		Customers: int64(r.Customers), Mean: r.Mean, ModelVersion: int64(r.ModelVersion), StabilityIndex: r.Stability,
		ComputedTime: timestamppb.New(r.ComputedTime),
	}
	if !r.NewestEventTime.IsZero() {
		run.NewestEventTime = timestamppb.New(r.NewestEventTime)
	}
	for _, g := range r.Grades {
		run.Grades = append(run.Grades, &analyticsv1.ScoreGradeSum{Grade: g.Name, Customers: int64(g.Customers), Mean: g.Mean})
	}
	for i, index := range r.FeatureStability {
		run.Features = append(run.Features, &analyticsv1.ScoreFeatureStability{Fact: r.Plan.Parts[i].Name, StabilityIndex: index})
	}
	if c := r.Challenge; c != nil {
		run.Challenger = &analyticsv1.ScoreChallenge{
			ModelVersion: int64(r.ChallengerVersion), Mean: c.Mean, Correlation: c.Correlation, MeanDistance: c.Distance,
		}
	}
	return run
}

func valueToProto(v Value, r Run) *analyticsv1.CustomerScore {
	score := &analyticsv1.CustomerScore{CustomerId: int64(v.CustomerID), Value: v.Value, Grade: v.Grade} //nolint:gosec // it comes from an int64
	for i, points := range v.Dimensions {
		score.Dimensions = append(score.Dimensions, &analyticsv1.ScoreDimensionPoints{Dimension: r.Plan.Dimensions[i], Points: points})
	}
	if !math.IsNaN(v.Challenger) {
		score.Challenger = &v.Challenger
	}
	return score
}

//nolint:gosec // versions are few
func explanationToProto(e *Explanation) *analyticsv1.ExplainScoreResponse {
	r := e.Run
	answer := &analyticsv1.ExplainScoreResponse{
		RunId: r.ID.String(), Score: r.Score, DefinitionVersion: int64(r.DefinitionVersion), Kind: kinds[r.Kind], AsOf: date.Proto(r.AsOf),
		Customer: valueToProto(e.Value, r), Base: r.Base, Total: e.Total, Raising: e.Raising, Lowering: e.Lowering,
		ModelVersion: int64(r.ModelVersion), ComputedTime: timestamppb.New(r.ComputedTime),
	}
	for i, part := range r.Plan.Parts {
		contribution := &analyticsv1.ScoreContribution{Name: part.Name, Dimension: part.Dimension, Value: e.Value.Parts[i], Reason: part.Reason}
		for _, fact := range part.Facts {
			if at := slices.Index(r.Plan.Facts, fact); at >= 0 && at < len(e.Value.Observed) {
				contribution.Facts = append(contribution.Facts, &analyticsv1.ObservedFact{Fact: fact, Value: e.Value.Observed[at]})
			}
		}
		answer.Contributions = append(answer.Contributions, contribution)
	}
	for _, p := range e.Trend {
		answer.Trend = append(answer.Trend, &analyticsv1.ScorePoint{
			AsOf: date.Proto(p.AsOf), Value: p.Value, Grade: p.Grade, DefinitionVersion: int64(p.DefinitionVersion), ModelVersion: int64(p.ModelVersion),
		})
	}
	return answer
}

//nolint:gosec // versions and iterations are few
func modelToProto(m *Model, d *definitionv1.ScoreModelDefinition) *analyticsv1.ScoreModel {
	out := &analyticsv1.ScoreModel{
		Score: m.Score, TrainedAsOf: date.Proto(m.TrainedAsOf), ModelVersion: int64(versionOf(m.TrainedAsOf)),
		DefinitionVersion: int64(m.DefinitionVersion), DataFrom: date.Proto(m.DataFrom), DataTo: date.Proto(m.DataTo), Base: m.Base,
		LeftOut: m.LeftOut, Training: metricsToProto(m.Training), Iterations: int32(m.Iterations), ComputedTime: timestamppb.New(m.ComputedTime),
	}
	if m.Holdout != nil {
		out.Holdout = metricsToProto(*m.Holdout)
	}
	for _, p := range m.Parameters {
		out.Parameters = append(out.Parameters, &analyticsv1.ScoreParameter{
			Name: p.Name, Value: p.Value, StandardError: p.StandardError, Low: p.Low, High: p.High,
		})
	}
	for i, fact := range m.Facts {
		sum := &analyticsv1.ScoreFeatureSum{Fact: fact, Importance: m.Importance[i]}
		if woe := m.Encoders[i].Woe; woe != nil {
			sum.Information, sum.Bins = woe.Information, bins(woe)
		}
		out.Features = append(out.Features, sum)
	}
	switch day(m.TrainedAsOf) {
	case d.GetChampion().GetTrainedAsOf():
		out.Role = analyticsv1.ScoreModelRole_SCORE_MODEL_ROLE_CHAMPION
	case d.GetChallenger().GetTrainedAsOf():
		out.Role = analyticsv1.ScoreModelRole_SCORE_MODEL_ROLE_CHALLENGER
	}
	return out
}

// bins name the bins of a feature for people.
func bins(e *logit.Evidence) []*analyticsv1.ScoreFeatureBin {
	out := make([]*analyticsv1.ScoreFeatureBin, len(e.Bins))
	for i, b := range e.Bins {
		out[i] = &analyticsv1.ScoreFeatureBin{Name: "unknown and others", Events: int64(b.Events), Others: int64(b.Others), Weight: b.Weight}
		switch {
		case e.Text && i < len(e.Levels):
			out[i].Name = cmp.Or(e.Levels[i], "unknown")
		case !e.Text && i < len(e.Edges):
			out[i].Name = "up to " + edge(e.Edges[i])
		case !e.Text && i == len(e.Edges) && i > 0:
			out[i].Name = "above " + edge(e.Edges[i-1])
		case !e.Text && i == len(e.Edges):
			out[i].Name = "known"
		}
	}
	return out
}

// edge is a bound of a bin with the digits that a sample keeps.
func edge(v float64) string { return strconv.FormatFloat(v, 'f', -1, 32) }

func metricsToProto(m logit.Metrics) *analyticsv1.ScoreMetrics {
	out := &analyticsv1.ScoreMetrics{
		Customers: int64(m.Rows), Events: int64(m.Events), LogLikelihood: m.LogLikelihood, Auc: m.AUC, Gini: m.Gini, Ks: m.KS, Brier: m.Brier,
		HosmerLemeshow: m.HosmerLemeshow.ChiSquare, HosmerLemeshowP: m.HosmerLemeshow.P,
	}
	for _, l := range m.Lifts {
		out.Lifts = append(out.Lifts, &analyticsv1.ScoreLift{Share: l.Share, Lift: l.Lift})
	}
	for _, b := range m.Calibration {
		out.Calibration = append(out.Calibration, &analyticsv1.ScoreCalibrationBin{
			Customers: int64(b.Rows), Events: int64(b.Events), Expected: b.Mean, Low: b.Low, High: b.High,
		})
	}
	return out
}
