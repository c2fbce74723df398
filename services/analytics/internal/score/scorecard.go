package score

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
)

// row is what is known of one customer on one day.
type row struct {
	customer uint64
	holds    []bool
	numbers  []float64
	texts    []string
	observed []string
}

// scorecard gives points.
type scorecard struct {
	plan     Plan
	weights  []float64 // by dimension
	criteria []criterion
}

// criterion is one rule of a scorecard.
type criterion struct {
	dimension int
	points    func(*row) float64
	// decay is nil when points don't fade.
	decay func(*row) float64
}

// newScorecard compiles a definition; what is wrong in it stands in r.
func newScorecard(ctx context.Context, d *definitionv1.ScorecardDefinition, r *reading) *scorecard {
	s := &scorecard{}
	if d.GetPopulation() != "" {
		r.population, _ = r.condition(ctx, "population", d.GetPopulation())
	}
	names := map[string]bool{}
	for i, dimension := range d.GetDimensions() {
		field := fmt.Sprintf("dimensions[%d]", i)
		if slices.Contains(s.plan.Dimensions, dimension.GetName()) {
			r.broken.add(field+".name", "%q is the name of another dimension", dimension.GetName())
		}
		weight := 1.0
		if dimension.Weight != nil {
			weight = dimension.GetWeight()
		}
		s.plan.Dimensions, s.weights = append(s.plan.Dimensions, dimension.GetName()), append(s.weights, weight)
		for j, c := range dimension.GetCriteria() {
			at := fmt.Sprintf("%s.criteria[%d]", field, j)
			if names[c.GetName()] {
				r.broken.add(at+".name", "%q is the name of another criterion", c.GetName())
			}
			names[c.GetName()] = true
			s.add(ctx, i, c, at, r)
		}
	}
	checkGrades(d.GetGrades(), &r.broken)
	s.plan.Facts = r.facts
	return s
}

// add compiles a criterion.
func (s *scorecard) add(ctx context.Context, dimension int, c *definitionv1.ScoreCriterion, at string, r *reading) {
	part := Part{Name: c.GetName(), Dimension: s.plan.Dimensions[dimension], Reason: cmp.Or(c.GetReason(), c.GetName())}
	compiled := criterion{dimension: dimension}
	switch rule := c.GetRule().(type) {
	case *definitionv1.ScoreCriterion_When:
		condition, facts := r.condition(ctx, at+".when.filter", rule.When.GetFilter())
		place, points := r.holding(condition), rule.When.GetPoints()
		part.Facts = facts
		compiled.points = func(row *row) float64 {
			if row.holds[place] {
				return points
			}
			return 0
		}
	case *definitionv1.ScoreCriterion_Bands:
		part.Facts = []string{rule.Bands.GetFact()}
		compiled.points = bands(rule.Bands, r.number(at+".bands.fact", rule.Bands.GetFact()), at, r)
	case *definitionv1.ScoreCriterion_Units:
		part.Facts = []string{rule.Units.GetFact()}
		compiled.points = units(rule.Units, r.number(at+".units.fact", rule.Units.GetFact()))
	}
	if decay := c.GetDecay(); decay != nil {
		if !slices.Contains(part.Facts, decay.GetFact()) {
			part.Facts = append(part.Facts, decay.GetFact())
		}
		compiled.decay = fading(decay, r.number(at+".decay.fact", decay.GetFact()))
	}
	s.plan.Parts, s.criteria = append(s.plan.Parts, part), append(s.criteria, compiled)
}

// bands gives points by the class that a number lies in.
func bands(b *definitionv1.ScoreBands, place int, at string, r *reading) func(*row) float64 {
	for i, band := range b.GetBands() {
		if i > 0 && band.GetFrom() <= b.GetBands()[i-1].GetFrom() {
			r.broken.add(fmt.Sprintf("%s.bands.bands[%d].from", at, i), "must be greater than that of the band before it, %g", b.GetBands()[i-1].GetFrom())
		}
	}
	return func(row *row) float64 {
		v := row.numbers[place]
		if math.IsNaN(v) {
			return b.GetUnknownPoints()
		}
		points := b.GetBelowPoints()
		for _, band := range b.GetBands() {
			if v < band.GetFrom() {
				break
			}
			points = band.GetPoints()
		}
		return points
	}
}

// units gives points for each unit.
func units(u *definitionv1.ScoreUnits, place int) func(*row) float64 {
	return func(row *row) float64 {
		n := row.numbers[place]
		if math.IsNaN(n) || n < 0 {
			return 0
		}
		if u.GetUnitsMax() > 0 {
			n = min(n, u.GetUnitsMax())
		}
		return n * u.GetPoints()
	}
}

// fading is the part of points that is left.
func fading(d *definitionv1.ScoreDecay, place int) func(*row) float64 {
	return func(row *row) float64 {
		days := row.numbers[place]
		if math.IsNaN(days) {
			return 0
		}
		return math.Exp2(-max(days, 0) / d.GetHalfLifeDays())
	}
}

// value scores a customer.
func (s *scorecard) value(of *row) Value {
	v := Value{
		CustomerID: of.customer, Parts: make([]float64, len(s.criteria)), Dimensions: make([]float64, len(s.weights)),
		Observed: of.observed, Challenger: math.NaN(),
	}
	for i, c := range s.criteria {
		points := c.points(of)
		if c.decay != nil {
			points *= c.decay(of)
		}
		v.Dimensions[c.dimension] += exactPoints(points)
		v.Parts[i] = exactPoints(points * s.weights[c.dimension])
		v.Value += v.Parts[i]
	}
	return v
}

// checkGrades wants different names and bounds.
func checkGrades(grades []*definitionv1.ScoreGrade, broken *violations) {
	for i, g := range grades {
		for _, other := range grades[:i] {
			if other.GetName() == g.GetName() {
				broken.add(fmt.Sprintf("grades[%d].name", i), "%q is the name of another grade", g.GetName())
			}
			if other.GetFrom() == g.GetFrom() {
				broken.add(fmt.Sprintf("grades[%d].from", i), "%g is where the grade %q begins", g.GetFrom(), other.GetName())
			}
		}
	}
}

// gradeOf is the grade of a score: that with the highest bound that it reaches.
func gradeOf(grades []*definitionv1.ScoreGrade, v float64) string {
	name, best := "", math.Inf(-1)
	for _, g := range grades {
		if v >= g.GetFrom() && g.GetFrom() >= best {
			name, best = g.GetName(), g.GetFrom()
		}
	}
	return name
}
