package score

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/logit"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/definition"
)

const (
	splitHash = definitionv1.ScoreSplitKind_SCORE_SPLIT_KIND_HASH
	splitTime = definitionv1.ScoreSplitKind_SCORE_SPLIT_KIND_TIME
	splitNone = definitionv1.ScoreSplitKind_SCORE_SPLIT_KIND_NONE
)

// Reasons of FAILED_PRECONDITION.
const (
	// ReasonTooLittleData says that too few customers had the target, or too few had not.
	ReasonTooLittleData = "TOO_LITTLE_DATA"
	// ReasonSeparation says that a feature knows the outcome.
	ReasonSeparation = "SEPARATION"
	// ReasonNobody says that there is nobody to score.
	ReasonNobody = "NOBODY_TO_SCORE"
)

// Train returns the model of a definition as of a day: that of the registry, when nothing came in since it was trained.
func (s *Service) Train(ctx context.Context, d *definition.Definition, asOf time.Time) (*Model, error) {
	t, err := trainingOf(d.Spec.GetScoreModel())
	if err != nil {
		return nil, err
	}
	release, err := s.turn.Take(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	m, err := s.trained(ctx, d, t, asOf, true)
	return m, public(err)
}

// trained looks a model up and trains it when there is none, or when fresh is wanted and events came in since.
func (s *Service) trained(ctx context.Context, d *definition.Definition, t training, asOf time.Time, fresh bool) (*Model, error) {
	newest := s.newestChange().Truncate(time.Microsecond)
	found, err := s.store.model(ctx, d.Name, t.key, asOf)
	if err == nil && (!fresh || found.NewestEventTime.Equal(newest)) {
		return found, nil
	}
	if err != nil && !errors.Is(err, errNoModel) {
		return nil, err
	}
	began := time.Now()
	if end := t.later(asOf); end.After(s.facts.Today()) {
		return nil, apperr.InvalidField("as_of", "targets are those of %s, which has not come yet", day(end))
	}
	m, err := s.train(ctx, t, asOf)
	if err != nil {
		return nil, err
	}
	m.Score, m.Key, m.TrainedAsOf, m.DefinitionVersion = d.Name, t.key, asOf, d.Version
	m.NewestEventTime, m.ComputedTime = newest, time.Now().UTC().Truncate(time.Microsecond)
	if err := s.store.saveModel(ctx, m); err != nil {
		return nil, err
	}
	s.log.InfoContext(ctx, "trained", "score", d.Name, "as_of", day(asOf), "customers", m.Training.Rows, "events", m.Training.Events,
		"auc", m.Training.AUC, "seconds", time.Since(began).Seconds())
	return m, nil
}

// train reads customers, fits and judges.
func (s *Service) train(ctx context.Context, t training, asOf time.Time) (*Model, error) {
	from := asOf
	if t.split == splitTime {
		from = asOf.AddDate(0, 0, -t.holdoutDays)
	}
	known, features, err := s.sampled(ctx, t, from)
	if err != nil {
		return nil, err
	}
	m := &Model{DataFrom: from, DataTo: t.later(asOf)}
	if err := m.fit(t, known, features); err != nil {
		return nil, err
	}
	using := newScorer(m, features)
	if m.Training, err = logit.Evaluate(m.scored(using, known, false)); err != nil {
		return nil, err
	}
	m.distributions(using, known)
	unseen := known
	switch t.split { //nolint:exhaustive // by hash the others of the same customers are unseen
	case splitNone:
		return m, nil
	case splitTime:
		if unseen, _, err = s.sampled(ctx, t, asOf); err != nil {
			return nil, err
		}
		for i := range unseen.held {
			unseen.held[i] = true
		}
	}
	holdout, err := logit.Evaluate(m.scored(using, unseen, true))
	switch {
	case err == nil:
		m.Holdout = &holdout
	case !errors.Is(err, logit.ErrTooLittle):
		return nil, err
	}
	return m, nil
}

// fit learns the encoders and then the parameters from the customers that are not held out.
func (m *Model) fit(t training, known *sample, features []feature) error {
	var columns []string
	outcomes := known.outcomes()
	if err := enough(t, outcomes); err != nil {
		return err
	}
	for i, f := range features {
		encoder, err := f.encoder(known, outcomes)
		if err != nil {
			return f.refusal(i, err)
		}
		m.Facts, m.Encoders = append(m.Facts, f.definition.GetFact()), append(m.Encoders, encoder)
		columns = append(columns, encoder.Columns(f.definition.GetFact())...)
	}
	table, err := logit.NewTable(columns)
	if err != nil {
		return apperr.InvalidField("features", "%v", err)
	}
	m.Columns = columns
	using, row := newScorer(m, features), make([]float64, len(columns))
	for n := range known.customers {
		if known.held[n] {
			continue
		}
		for i, f := range features {
			m.Encoders[i].Encode(known.value(f, n), row[using.from[i]:using.from[i+1]])
		}
		if err := table.Append(row, known.events[n]); err != nil {
			return err
		}
	}
	fit, err := logit.Train(table, logit.Options{Ridge: t.spec.GetRidge(), EventsMin: t.eventsMin})
	if err != nil {
		return refused(err)
	}
	m.Model, m.Parameters, m.LeftOut, m.Iterations = fit.Model, fit.Parameters, fit.Left, fit.Iterations
	return nil
}

// enough refuses a training on too few customers.
func enough(t training, outcomes []bool) error {
	events := 0
	for _, event := range outcomes {
		if event {
			events++
		}
	}
	if events < t.eventsMin || len(outcomes)-events < t.eventsMin {
		return apperr.New(codes.FailedPrecondition, ReasonTooLittleData,
			"of %d customers to train on %d have the target and %d have not: of both %d are needed", len(outcomes), events,
			len(outcomes)-events, t.eventsMin)
	}
	return nil
}

// encoder learns how a feature becomes columns.
func (f feature) encoder(known *sample, outcomes []bool) (e logit.Encoder, err error) {
	numbers, texts := known.column(f)
	switch {
	case f.woe() && f.textual:
		e.Woe, err = logit.NewLevelEvidence(texts, outcomes)
	case f.woe():
		e.Woe, err = logit.NewNumberEvidence(numbers, outcomes, int(f.definition.GetBinsMax()))
	case f.textual:
		e.Levels, err = logit.NewLevels(texts, f.definition.GetReference())
	default:
		e.Linear, err = logit.NewLinear(numbers)
	}
	if errors.Is(err, logit.ErrTooLittle) && !f.textual {
		// Known of nobody, it tells nothing, and says so: a column that is the same everywhere is left out.
		return logit.Encoder{Linear: &logit.Linear{}}, nil
	}
	return e, err
}

// refusal says why a feature can't be encoded.
func (f feature) refusal(i int, err error) error {
	field, name := fmt.Sprintf("features[%d].fact", i), f.definition.GetFact()
	if errors.Is(err, logit.ErrTooManyLevels) {
		return apperr.InvalidField(field, "%s has more than %d levels: encode it by weight of evidence", name, logit.LevelsMax)
	}
	return fmt.Errorf("score: encode %s: %w", name, err)
}

// refused turns what the data don't allow into FAILED_PRECONDITION.
func refused(err error) error {
	var separation *logit.SeparationError
	switch {
	case errors.As(err, &separation):
		return apperr.New(codes.FailedPrecondition, ReasonSeparation, "%v", err)
	case errors.Is(err, logit.ErrTooLittle), errors.Is(err, logit.ErrNoMaximum):
		return apperr.New(codes.FailedPrecondition, ReasonTooLittleData, "%v", err)
	}
	return err
}

// scored applies the model to customers, held out or not.
func (m *Model) scored(using *scorer, of *sample, held bool) []logit.Scored {
	var out []logit.Scored
	for n := range of.customers {
		if of.held[n] != held {
			continue
		}
		total := using.base()
		for i, f := range using.features {
			total += using.contribution(i, of.value(f, n))
		}
		out = append(out, logit.Scored{LogOdds: total, Event: of.events[n]})
	}
	return out
}

// distributions notes how log-odds and contributions lie in the training.
func (m *Model) distributions(using *scorer, known *sample) {
	totals := make([]float64, 0, m.Training.Rows)
	for _, s := range m.scored(using, known, false) {
		totals = append(totals, s.LogOdds)
	}
	slices.Sort(totals)
	m.Stability = logit.NewStability(totals)
	for i, f := range using.features {
		parts, sum := totals[:0], 0.0
		for n := range known.customers {
			if !known.held[n] {
				parts = append(parts, using.contribution(i, known.value(f, n)))
			}
		}
		slices.Sort(parts)
		for _, part := range parts {
			sum += max(part, -part)
		}
		m.Features, m.Importance = append(m.Features, logit.NewStability(parts)), append(m.Importance, sum/float64(max(len(parts), 1)))
	}
}
