package score

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"tandem.bank/pkg/logit"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/customerfact"
)

// feature is a fact that a model sees.
type feature struct {
	definition *definitionv1.ScoreFeature
	// textual says that place is one in the texts of a row, not in its numbers.
	textual bool
	place   int
	title   string
}

// newFeatures compiles the population and the features of a model; what is wrong stands in r.
func newFeatures(ctx context.Context, d *definitionv1.ScoreModelDefinition, r *reading) []feature {
	if d.GetPopulation() != "" {
		r.population, _ = r.condition(ctx, "population", d.GetPopulation())
	}
	var out []feature
	for i, f := range d.GetFeatures() {
		field := fmt.Sprintf("features[%d]", i)
		if slices.ContainsFunc(out, func(o feature) bool { return o.definition.GetFact() == f.GetFact() }) {
			r.broken.add(field+".fact", "%s is a feature already", f.GetFact())
			continue
		}
		out = append(out, newFeature(f, field, r))
	}
	return out
}

func newFeature(d *definitionv1.ScoreFeature, field string, r *reading) feature {
	out := feature{definition: d, title: d.GetFact()}
	f, known := r.asked.Catalogue().Fact(d.GetFact())
	if !known {
		r.fact(field+".fact", d.GetFact()) // says what is there instead
		return out
	}
	out.title = cmp.Or(f.Title, f.Name)
	words := f.Type == customerfact.Text || f.Type == customerfact.Texts
	out.textual = words || d.GetEncoding() == definitionv1.ScoreEncoding_SCORE_ENCODING_LEVELS
	switch {
	case words && d.GetEncoding() == definitionv1.ScoreEncoding_SCORE_ENCODING_LINEAR:
		r.broken.add(field+".encoding", "%s holds texts: they are encoded by levels or by weight of evidence", d.GetFact())
	case d.GetReference() != "" && (!out.textual || d.GetEncoding() == definitionv1.ScoreEncoding_SCORE_ENCODING_WOE):
		r.broken.add(field+".reference", "only a fact that is encoded by levels has a reference")
	case d.GetReference() != "" && len(f.Values) > 0 && !slices.Contains(f.Values, d.GetReference()):
		r.broken.add(field+".reference", "%q is no value of %s", d.GetReference(), d.GetFact())
	}
	if out.textual {
		out.place = r.text(field+".fact", d.GetFact())
	} else {
		out.place = r.number(field+".fact", d.GetFact())
	}
	return out
}

// woe says that the feature is encoded by weight of evidence.
func (f feature) woe() bool {
	return f.definition.GetEncoding() == definitionv1.ScoreEncoding_SCORE_ENCODING_WOE
}

// of is the feature of a row. Numbers have as many digits as in a sample: else one that lies on the edge of a bin would be in
// another bin than in the training.
func (f feature) of(r *row) logit.Value {
	if f.textual {
		return logit.Value{Text: r.texts[f.place]}
	}
	return logit.Value{Number: float64(float32(r.numbers[f.place]))}
}

// part is the feature as explanations name it.
func (f feature) part() Part {
	return Part{Name: f.definition.GetFact(), Reason: cmp.Or(f.definition.GetReason(), f.title), Facts: []string{f.definition.GetFact()}}
}

// Model is an entry of the registry.
type Model struct {
	Score             string    `json:"-"`
	Key               string    `json:"-"`
	TrainedAsOf       time.Time `json:"-"`
	DefinitionVersion uint64    `json:"-"`
	ComputedTime      time.Time `json:"-"`
	// NewestEventTime is the change time of the newest change behind the training.
	NewestEventTime time.Time `json:"-"`

	// Facts by feature, and how each becomes columns.
	Facts    []string        `json:"facts"`
	Encoders []logit.Encoder `json:"encoders"`
	logit.Model
	Parameters []logit.Parameter `json:"parameters"`
	LeftOut    []string          `json:"left_out,omitempty"`
	Iterations int               `json:"iterations"`
	// DataFrom is the day of the features of the training, DataTo that of the newest targets.
	DataFrom time.Time     `json:"data_from"`
	DataTo   time.Time     `json:"data_to"`
	Training logit.Metrics `json:"training"`
	// Holdout is nil when nobody was held out, or all of them had the same outcome.
	Holdout *logit.Metrics `json:"holdout,omitempty"`
	// Stability is the distribution of log-odds in the training, Features that of each feature's contributions.
	Stability logit.Stability   `json:"stability"`
	Features  []logit.Stability `json:"features"`
	// Importance is the mean distance of each feature's contributions from 0.
	Importance []float64 `json:"importance"`
}

// scorer applies a model to rows.
type scorer struct {
	*Model
	features []feature
	// from is where the columns of each feature begin.
	from    []int
	columns []float64
}

func newScorer(m *Model, features []feature) *scorer {
	s := &scorer{Model: m, features: features, columns: make([]float64, len(m.Columns))}
	at := 0
	for i, f := range features {
		s.from = append(s.from, at)
		at += len(m.Encoders[i].Columns(f.definition.GetFact()))
	}
	s.from = append(s.from, at)
	return s
}

// contribution is what one feature adds to the log-odds.
func (s *scorer) contribution(i int, v logit.Value) float64 {
	from, to := s.from[i], s.from[i+1]
	s.Encoders[i].Encode(v, s.columns[from:to])
	sum := 0.0
	for j := from; j < to; j++ {
		sum += s.Contribution(j, s.columns[j])
	}
	return exactOdds(sum)
}

// base are the log-odds of the mean of the training.
func (s *scorer) base() float64 { return exactOdds(s.Base) }

// odds fills parts with what each feature adds, and returns the log-odds.
func (s *scorer) odds(of *row, parts []float64) float64 {
	total := s.base()
	for i, f := range s.features {
		parts[i] = s.contribution(i, f.of(of))
		total += parts[i]
	}
	return total
}

// served is what scores customers: a champion and perhaps a challenger.
type served struct {
	plan       Plan
	champion   *scorer
	challenger *scorer
	// odds and features count log-odds and contributions by the bins of the training.
	odds     []int
	features [][]int
	scratch  []float64
	// Sums for the comparison with the challenger.
	n, champions, challengers, squares, otherSquares, products, distance float64
}

func newServed(champion, challenger *Model, features []feature, facts []string) *served {
	s := &served{champion: newScorer(champion, features), plan: Plan{Facts: facts}, scratch: make([]float64, len(features))}
	if challenger != nil {
		s.challenger = newScorer(challenger, features)
	}
	s.odds = make([]int, len(champion.Stability.Shares))
	for i, f := range features {
		s.plan.Parts = append(s.plan.Parts, f.part())
		s.features = append(s.features, make([]int, len(champion.Features[i].Shares)))
	}
	return s
}

// value scores a customer, and counts the customer in.
func (s *served) value(of *row) Value {
	v := Value{CustomerID: of.customer, Parts: make([]float64, len(s.champion.features)), Observed: of.observed, Challenger: math.NaN()}
	odds := s.champion.odds(of, v.Parts)
	v.Value = logit.Probability(odds)
	s.odds[s.champion.Stability.Bin(odds)]++
	for i, part := range v.Parts {
		s.features[i][s.champion.Features[i].Bin(part)]++
	}
	if s.challenger != nil {
		v.Challenger = logit.Probability(s.challenger.odds(of, s.scratch))
		s.compare(v.Value, v.Challenger)
	}
	return v
}

func (s *served) compare(champion, challenger float64) {
	s.n++
	s.champions, s.challengers = s.champions+champion, s.challengers+challenger
	s.squares, s.otherSquares = s.squares+champion*champion, s.otherSquares+challenger*challenger
	s.products += champion * challenger
	s.distance += math.Abs(champion - challenger)
}

// challenge is nil without a challenger. Rounded, because rows come in any order.
func (s *served) challenge() *Challenge {
	if s.challenger == nil || s.n == 0 {
		return nil
	}
	mean, other := s.champions/s.n, s.challengers/s.n
	c := &Challenge{Mean: rounded(other), Distance: rounded(s.distance / s.n)}
	spread := (s.squares/s.n - mean*mean) * (s.otherSquares/s.n - other*other)
	if spread > 1e-18 {
		c.Correlation = rounded(min(max((s.products/s.n-mean*other)/math.Sqrt(spread), -1), 1))
	}
	return c
}

func rounded(v float64) float64 { return math.Round(v*1e6) / 1e6 }

// finish tells a run how far things have moved since the training.
func (s *served) finish(r *Run) {
	r.ModelVersion, r.Base = versionOf(s.champion.TrainedAsOf), s.champion.base()
	r.Stability = s.champion.Stability.Index(s.odds)
	for i, counts := range s.features {
		r.FeatureStability = append(r.FeatureStability, s.champion.Features[i].Index(counts))
	}
	if r.Challenge = s.challenge(); s.challenger != nil {
		r.ChallengerVersion = versionOf(s.challenger.TrainedAsOf)
	}
}
