package score

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/definition"
	"tandem.bank/services/analytics/internal/snapshot"
)

// computeMax bounds how long a run computes: what takes longer than a night holds up all the others.
const computeMax = 6 * time.Hour

// Compute scores customers by a definition as of a day and stores a snapshot. When there is one of the same version and day over
// the same data, it is the answer.
func (s *Service) Compute(ctx context.Context, d *definition.Definition, asOf time.Time) (Run, error) {
	release, err := s.turn.Take(ctx)
	if err != nil {
		return Run{}, err
	}
	defer release()
	began := time.Now()
	head, err := snapshot.NewHead("", s.newestChange())
	if err != nil {
		return Run{}, err
	}
	run := Run{Head: head, Score: d.Name, DefinitionVersion: d.Version, Kind: kindScorecard, AsOf: asOf}
	twin, err := s.store.first(ctx, twinQuery(run))
	if err == nil && twin.NewestEventTime.Equal(run.NewestEventTime) {
		return twin, nil
	}
	if err != nil && !errors.Is(err, snapshot.ErrNone) {
		return Run{}, public(err)
	}
	ctx, cancel := context.WithTimeout(ctx, computeMax)
	defer cancel()
	if err := s.compute(ctx, d, &run); err != nil {
		return Run{}, public(err)
	}
	s.log.InfoContext(ctx, "computed", "run_id", run.ID, "score", run.Score, "as_of", day(run.AsOf), "customers", run.Customers,
		"seconds", time.Since(began).Seconds())
	return run, nil
}

// compute fills the run step by step; its row comes last and makes it visible.
func (s *Service) compute(ctx context.Context, d *definition.Definition, run *Run) error {
	r, err := s.reading(ctx, run.AsOf)
	if err != nil {
		return err
	}
	var value func(*row) Value
	var grades []*definitionv1.ScoreGrade
	finish := func(*Run) {}
	if spec := d.Spec.GetScorecard(); spec != nil {
		card := newScorecard(ctx, spec, r)
		run.Plan, value, grades = card.plan, card.value, spec.GetGrades()
	} else {
		models, err := s.serving(ctx, d, r, run.AsOf)
		if err != nil {
			return err
		}
		run.Kind, run.Plan, value, grades, finish = kindModel, models.plan, models.value, d.Spec.GetScoreModel().GetGrades(), models.finish
	}
	if err := r.err(); err != nil {
		return err
	}
	sums := newGradeSums(grades)
	if err := s.scoreAll(ctx, *run, r, func(of *row) Value {
		v := value(of)
		v.Grade = gradeOf(grades, v.Value)
		sums.add(v)
		return v
	}); err != nil {
		return err
	}
	if sums.customers == 0 {
		return apperr.New(codes.FailedPrecondition, ReasonNobody, "the population has no customer on %s", day(run.AsOf))
	}
	sums.finish(run)
	finish(run)
	run.Computed()
	return s.store.save(ctx, *run)
}

// serving are the models that score customers, with what they need of each.
func (s *Service) serving(ctx context.Context, d *definition.Definition, r *reading, asOf time.Time) (*served, error) {
	t, err := trainingOf(d.Spec.GetScoreModel())
	if err != nil {
		return nil, err
	}
	features := newFeatures(ctx, t.spec, r)
	if err := r.err(); err != nil {
		return nil, err
	}
	champion, err := s.trained(ctx, d, t, t.serving(asOf), t.champion.IsZero())
	if err != nil {
		return nil, err
	}
	var challenger *Model
	if !t.challenger.IsZero() {
		if challenger, err = s.trained(ctx, d, t, t.challenger, false); err != nil {
			return nil, err
		}
	}
	return newServed(champion, challenger, features, r.facts), nil
}

// scoreAll reads the customers of the population and writes their scores, batch by batch.
func (s *Service) scoreAll(ctx context.Context, run Run, r *reading, value func(*row) Value) error {
	q, err := r.asked.From(ctx)
	if err != nil {
		return err
	}
	q.SQL = fmt.Sprintf("SELECT f.customer_id, %s, %s, %s, %s FROM %s WHERE %s", array("Bool", r.holds), array("Float64", r.numbers),
		array("String", r.texts), array("String", r.observed()), q.SQL, r.population)
	writer := s.store.writer(run)
	err = s.store.each(ctx, "read customers", q, func(rows driver.Rows) error {
		var of row
		if err := rows.Scan(&of.customer, &of.holds, &of.numbers, &of.texts, &of.observed); err != nil {
			return err
		}
		return writer.add(ctx, value(&of))
	})
	if err != nil {
		return err
	}
	return writer.flush(ctx)
}

// gradeSums sum up while customers are scored.
type gradeSums struct {
	order     []*definitionv1.ScoreGrade
	counts    map[string]uint64
	sums      map[string]float64
	customers uint64
	sum       float64
}

func newGradeSums(grades []*definitionv1.ScoreGrade) *gradeSums {
	return &gradeSums{order: grades, counts: map[string]uint64{}, sums: map[string]float64{}}
}

// add counts a customer. What is added up is exact, so that the order of customers does not matter.
func (g *gradeSums) add(v Value) {
	exact := exactPoints(v.Value)
	g.customers++
	g.sum += exact
	g.counts[v.Grade]++
	g.sums[v.Grade] += exact
}

func (g *gradeSums) finish(r *Run) {
	r.Customers, r.Mean = g.customers, g.sum/float64(g.customers)
	for _, grade := range g.order {
		r.Grades = append(r.Grades, g.of(grade.GetName()))
	}
	if g.counts[""] > 0 {
		r.Grades = append(r.Grades, g.of(""))
	}
}

func (g *gradeSums) of(name string) GradeSum {
	return GradeSum{Name: name, Customers: g.counts[name], Mean: g.sums[name] / float64(max(g.counts[name], 1))}
}
