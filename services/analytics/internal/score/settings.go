package score

import (
	"cmp"
	"context"
	"time"

	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/apperr"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/snapshot"
)

const (
	horizonDefault      = 90
	eventsMinDefault    = 100
	customersMaxDefault = 1_000_000
	holdoutShareDefault = 0.3
	holdoutDaysDefault  = 30
	// cellsMax bounds what a training holds in memory: customers times features.
	cellsMax = 100_000_000
)

// training is the part of a definition that a model depends on, every default filled in.
type training struct {
	spec                 *definitionv1.ScoreModelDefinition
	horizon, holdoutDays int
	eventsMin            int
	customersMax         int
	holdoutShare         float64
	split                definitionv1.ScoreSplitKind
	key                  string
	champion, challenger time.Time // zero without one
}

// trainingOf reads a definition that was compiled.
func trainingOf(d *definitionv1.ScoreModelDefinition) (training, error) {
	t := training{
		spec: d, horizon: horizonDefault, eventsMin: cmp.Or(int(d.GetEventsMin()), eventsMinDefault),
		split:        cmp.Or(d.GetSplit().GetKind(), definitionv1.ScoreSplitKind_SCORE_SPLIT_KIND_HASH),
		holdoutShare: cmp.Or(d.GetSplit().GetHoldoutShare(), holdoutShareDefault),
		customersMax: cmp.Or(int(d.GetCustomersMax()), min(customersMaxDefault, cellsMax/max(len(d.GetFeatures()), 1))),
	}
	if d.HorizonDays != nil {
		t.horizon = int(d.GetHorizonDays())
	}
	t.holdoutDays = cmp.Or(int(d.GetSplit().GetHoldoutDays()), t.horizon, holdoutDaysDefault)
	t.champion, _ = time.Parse(time.DateOnly, d.GetChampion().GetTrainedAsOf())
	t.challenger, _ = time.Parse(time.DateOnly, d.GetChallenger().GetTrainedAsOf())
	trained := proto.CloneOf(d)
	trained.Grades, trained.Champion, trained.Challenger = nil, nil, nil
	for _, f := range trained.GetFeatures() {
		f.Reason = ""
	}
	var err error
	t.key, err = snapshot.Key(trained)
	return t, err
}

// later is the day of the targets of features as of a day.
func (t training) later(asOf time.Time) time.Time { return asOf.AddDate(0, 0, t.horizon) }

// serving is the day whose model scores customers as of a day: the champion's or, without one, the newest that targets allow.
func (t training) serving(asOf time.Time) time.Time {
	if !t.champion.IsZero() {
		return t.champion
	}
	return asOf.AddDate(0, 0, -t.horizon)
}

// CompileScorecard checks a scorecard as a run would; it is a definition.Compiler.
func (s *Service) CompileScorecard(ctx context.Context, name string, spec *definitionv1.Spec) ([]apperr.Violation, error) {
	r, err := s.checking(ctx)
	if err != nil {
		return nil, err
	}
	newScorecard(ctx, spec.GetScorecard(), r)
	return s.wrong(ctx, name, spec, r)
}

// CompileModel checks a trained score as a run would; it is a definition.Compiler.
func (s *Service) CompileModel(ctx context.Context, name string, spec *definitionv1.Spec) ([]apperr.Violation, error) {
	d := spec.GetScoreModel()
	r, err := s.checking(ctx)
	if err != nil {
		return nil, err
	}
	newFeatures(ctx, d, r)
	checkModel(d, &r.broken)
	r.condition(ctx, "target", d.GetTarget())
	return s.wrong(ctx, name, spec, r)
}

// wrong is what a reading found wrong with a definition, and where it asks for its own results.
func (s *Service) wrong(ctx context.Context, name string, spec *definitionv1.Spec, r *reading) ([]apperr.Violation, error) {
	if r.trouble != nil {
		return nil, r.trouble
	}
	circles, err := s.segments.Circles(ctx, name, spec)
	return append(r.broken, circles...), err
}

// checkModel finds what the rules of the contract do not see.
func checkModel(d *definitionv1.ScoreModelDefinition, broken *violations) {
	checkGrades(d.GetGrades(), broken)
	if n := int(d.GetCustomersMax()) * len(d.GetFeatures()); n > cellsMax {
		broken.add("customers_max", "%d customers by %d features are more than %d numbers", d.GetCustomersMax(), len(d.GetFeatures()), cellsMax)
	}
	for field, ref := range map[string]*definitionv1.ScoreModelRef{"champion": d.GetChampion(), "challenger": d.GetChallenger()} {
		if ref == nil {
			continue
		}
		if _, err := time.Parse(time.DateOnly, ref.GetTrainedAsOf()); err != nil {
			broken.add(field+".trained_as_of", "%q is no day", ref.GetTrainedAsOf())
		}
	}
	if d.GetChallenger() != nil && d.GetChampion() == nil {
		broken.add("challenger", "there is no champion to challenge")
	}
	if d.GetChallenger() != nil && d.GetChallenger().GetTrainedAsOf() == d.GetChampion().GetTrainedAsOf() {
		broken.add("challenger.trained_as_of", "is the champion's")
	}
}
