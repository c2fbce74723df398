package segment

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/filter"
	"tandem.bank/services/analytics/internal/customerfact"
	"tandem.bank/services/analytics/internal/definition"
	"tandem.bank/services/analytics/internal/warehouse"
)

// Reading is what another room asks about customers on a day: filters that speak the whole language of segments, with segment(…),
// top(…) and bottom(…), over one table expression. First all filters are compiled, then From is read.
type Reading struct {
	service *Service
	plan    *plan
	schema  filter.Schema
	known   library
	added   map[string]bool
	// checks says that customers are not going to be read: what only they tell, thresholds, is not looked for.
	checks bool
}

// Reading begins one.
func (s *Service) Reading(ctx context.Context, day time.Time) (*Reading, error) {
	known, err := s.library(ctx)
	if err != nil {
		return nil, err
	}
	return s.newReading(ctx, known, day)
}

// Checking begins one that only finds what is wrong with filters, those of the caller of a context: who can't read a segment can't refer
// to it.
func (s *Service) Checking(ctx context.Context) (*Reading, error) {
	known, err := s.readable(ctx)
	if err != nil {
		return nil, err
	}
	r, err := s.newReading(ctx, known, s.facts.Today())
	if err == nil {
		r.checks = true
	}
	return r, err
}

func (s *Service) newReading(ctx context.Context, known library, day time.Time) (*Reading, error) {
	catalogue, err := s.facts.Catalogue(ctx)
	if err != nil {
		return nil, err
	}
	p := s.newPlan(catalogue, day, thresholds{})
	for name, d := range known {
		// What is not added is near to a wrong name, and no more.
		p.byName[name] = &rule{definition: d, condition: "true"}
	}
	return &Reading{service: s, plan: p, schema: catalogue.Schema(), known: known, added: map[string]bool{}}, nil
}

// Catalogue of the facts that filters compare.
func (r *Reading) Catalogue() *customerfact.Catalogue { return r.plan.catalogue }

// Day that customers are asked about.
func (r *Reading) Day() time.Time { return r.plan.day }

// Need asks for facts, each once; those that filters compare are there, too.
func (r *Reading) Need(names ...string) {
	for _, name := range names {
		r.plan.need(name)
	}
}

// Facts are the names of all that were asked for until now.
func (r *Reading) Facts() []string { return r.plan.facts }

// Bind adds a value, and returns what stands for it.
func (r *Reading) Bind(kind filter.Kind, value any) string { return r.plan.statement.Bind(kind, value) }

// Clauses compiles a filter; an empty one admits everybody. Errors: INVALID_ARGUMENT on the field "filter", UNAVAILABLE.
func (r *Reading) Clauses(ctx context.Context, text string) (*filter.Clause, error) {
	fresh, err := r.referred(ctx, text)
	if err != nil {
		return nil, err
	}
	rules := make([]*rule, len(fresh))
	for i, d := range fresh {
		rules[i], r.added[d.Name] = r.service.add(ctx, r.plan, d), true
		if err := unexpected(rules[i].problem); err != nil {
			return nil, err
		}
	}
	clause, err := r.plan.statement.Clauses(text, r.schema)
	if err != nil {
		return nil, err
	}
	r.Need(filter.Fields(text)...)
	missing := r.plan.missing()
	if len(missing) == 0 || r.checks {
		return clause, nil
	}
	found, err := r.service.computeThresholds(ctx, r.plan, missing)
	if err != nil {
		return nil, err
	}
	r.plan.thresholds = r.plan.thresholds.with(found)
	for _, rule := range rules {
		rule.condition, rule.problem = r.service.condition(ctx, r.plan, rule.definition)
	}
	return r.plan.statement.Clauses(text, r.schema)
}

// referred are the segments that a filter refers to, directly or not, and no filter before it did.
func (r *Reading) referred(ctx context.Context, text string) ([]*definition.Definition, error) {
	root := unsaved(text)
	order, err := ordered(ctx, r.known.find, root)
	if circle, ok := errors.AsType[*circleError](err); ok {
		return nil, apperr.InvalidField("filter", "%s", circle.Error())
	}
	var fresh []*definition.Definition
	for _, d := range order {
		if d != root && !r.added[d.Name] {
			fresh = append(fresh, d)
		}
	}
	return fresh, err
}

// unexpected is the problem of a rule that is no fault of its definition; nil when there is none.
func unexpected(problem error) error {
	var refused *apperr.Error
	if problem == nil || errors.As(problem, &refused) {
		return nil
	}
	return problem
}

// From is the table expression that conditions are about, with the alias f and all bound values.
func (r *Reading) From(ctx context.Context) (warehouse.Query, error) {
	return r.service.from(ctx, r.plan, nil)
}

// Renamed gives the bound values of a query over a Reading other names, so that those of two days fit into one statement. Nothing
// of a caller's text stands in a statement: what is in braces is a bound value.
func Renamed(q warehouse.Query, prefix string) warehouse.Query {
	out := warehouse.Query{SQL: q.SQL, Args: slices.Clone(q.Args)}
	for i, arg := range out.Args {
		value, ok := arg.(driver.NamedValue)
		if !ok || strings.HasPrefix(value.Name, factsPrefix) {
			continue // the names of facts' values hold their day
		}
		out.SQL = strings.ReplaceAll(out.SQL, "{"+value.Name+":", "{"+prefix+value.Name+":")
		value.Name = prefix + value.Name
		out.Args[i] = value
	}
	return out
}

// factsPrefix begins the names of bound values of facts.
const factsPrefix = "facts_"
