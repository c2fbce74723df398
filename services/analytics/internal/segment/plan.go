package segment

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/date"
	"tandem.bank/pkg/filter"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/customerfact"
	"tandem.bank/services/analytics/internal/definition"
	"tandem.bank/services/analytics/internal/warehouse"
)

// factSegments is the fact that tells what segments a customer is in. Expressions of segments don't ask for it: they would lag
// behind themselves.
const factSegments = "segments"

// inlinedMax is the longest condition of a segment that is repeated where others refer to it. Longer ones, and those that look into
// other tables, are columns of a SELECT inside: repeated again and again, a chain of references would double with each of them.
const inlinedMax = 1000

// plan evaluates segments over the facts of a day in one statement.
type plan struct {
	catalogue *customerfact.Catalogue
	schema    filter.Schema
	statement *filter.Statement
	day       time.Time
	// rules in the order of evaluation, and by name.
	rules  []*rule
	byName map[string]*rule
	// extremes that the rules compare with, and what they are.
	extremes   map[string]extreme
	thresholds thresholds
	// facts that must be in the source.
	facts []string
	// own are values that the statement has no kind for: lists of customers.
	own []any
}

// rule is a segment in a plan.
type rule struct {
	definition *definition.Definition
	// condition of a customer that belongs to it; it may be NULL.
	condition string
	// column holds what others refer to; empty when they repeat the condition. wanted says that some do refer to it.
	column string
	wanted bool
	// level is 0 for a rule that needs no column, and one more than the highest of those that it needs.
	level int
	// problem keeps it from being evaluated.
	problem error
}

// holds is SQL that says whether a customer belongs to it, over the plan's table under the alias f: true or false, never NULL.
func (r *rule) holds() string {
	switch {
	case r.problem != nil:
		return "false"
	case r.column != "" && r.wanted:
		return "f." + r.column
	default:
		return "ifNull(" + r.condition + ", false)"
	}
}

// newPlan begins a plan for a day. thresholds are those known; others are noted in extremes, and true of nobody.
func (s *Service) newPlan(catalogue *customerfact.Catalogue, day time.Time, known thresholds) *plan {
	p := &plan{catalogue: catalogue, day: day, byName: map[string]*rule{}, extremes: map[string]extreme{}, thresholds: known}
	p.schema = slices.DeleteFunc(catalogue.Schema(), func(f filter.Field) bool { return f.Name == factSegments })
	p.statement = filter.NewStatement(s.moment(day), p.functions()...)
	return p
}

// functions are those of expressions of segments.
func (p *plan) functions() []filter.Function {
	share := []filter.Argument{filter.ArgumentField, filter.ArgumentPercent}
	return []filter.Function{
		{Name: functionSegment, Takes: []filter.Argument{filter.ArgumentText}, Usage: `segment("name")`, Compile: p.reference},
		{Name: functionTop, Takes: share, Usage: "top(fact, 10%)", Compile: p.extreme},
		{Name: functionBottom, Takes: share, Usage: "bottom(fact, 10%)", Compile: p.extreme},
	}
}

// reference is another segment, which stands before in the order.
func (p *plan) reference(c filter.Call) (string, error) {
	r := p.byName[c.Text]
	switch {
	case r == nil:
		return "", p.unknown(c.Text)
	case r.definition.Archived:
		return "", fmt.Errorf("segment %s is archived", c.Text)
	case r.problem != nil:
		return "", fmt.Errorf("segment %s can't be evaluated: %w", c.Text, r.problem)
	}
	r.wanted = true
	return r.holds(), nil
}

func (p *plan) unknown(name string) error {
	names := make([]string, 0, len(p.byName))
	for known := range p.byName {
		names = append(names, known)
	}
	slices.Sort(names)
	if like := filter.Nearest(name, names); like != "" {
		return fmt.Errorf("there is no segment %q; did you mean %q?", name, like)
	}
	return fmt.Errorf("there is no segment %q", name)
}

// add compiles a segment; those that it refers to were added before. What is wrong with it is kept in the rule.
func (s *Service) add(ctx context.Context, p *plan, d *definition.Definition) *rule {
	r := &rule{definition: d}
	p.rules = append(p.rules, r)
	r.condition, r.problem = s.condition(ctx, p, d)
	if d.Spec.GetSegment().GetDynamic() == nil || len(r.condition) > inlinedMax {
		r.column = "s_" + strconv.Itoa(len(p.rules))
	}
	for _, name := range references(d) {
		switch other := p.byName[name]; {
		case other == nil:
		case other.column != "":
			r.level = max(r.level, other.level+1)
		default:
			r.level = max(r.level, other.level)
		}
	}
	p.byName[d.Name] = r
	return r
}

// condition is that of a segment, over the facts in f.
func (s *Service) condition(ctx context.Context, p *plan, d *definition.Definition) (string, error) {
	if isPart(d) {
		var end time.Time // whatever is known today counts
		if p.day.Before(s.facts.Today()) {
			end = s.moment(p.day)
		}
		return p.inNewestRun(d.Name, end), nil
	}
	switch kind := d.Spec.GetSegment().GetKind().(type) {
	case *definitionv1.SegmentDefinition_Dynamic:
		return p.expression(kind.Dynamic.GetExpression())
	case *definitionv1.SegmentDefinition_Static:
		ids := make([]uint64, len(kind.Static.GetCustomerIds()))
		for i, id := range kind.Static.GetCustomerIds() {
			ids[i] = uint64(id) //nolint:gosec // positive by contract
		}
		return "f.customer_id IN " + p.bind("Array(UInt64)", ids), nil
	case *definitionv1.SegmentDefinition_Frozen:
		run, err := s.frozen(ctx, kind.Frozen)
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("f.customer_id IN (SELECT customer_id FROM segment_member WHERE segment = %s AND as_of = %s AND run_id = %s)",
			p.bind("String", run.Segment), p.bind("Date", warehouse.Day(run.AsOf)), p.bind("UUID", run.ID.String())), nil
	default:
		return "", apperr.InvalidField("segment", "is of a kind that this version can't evaluate")
	}
}

// bind keeps a value of a type.
func (p *plan) bind(typ string, value any) string {
	name := "segment_" + strconv.Itoa(len(p.own)+1)
	p.own = append(p.own, warehouse.Named(name, value))
	return "{" + name + ":" + typ + "}"
}

// expression compiles an expression and notes the facts that it asks for.
func (p *plan) expression(text string) (string, error) {
	condition, err := p.statement.Condition(text, p.schema)
	if err != nil {
		return "", err
	}
	for _, name := range filter.Fields(text) {
		p.need(name)
	}
	return condition, nil
}

// need asks for a fact in the source; what is no fact is left out.
func (p *plan) need(name string) {
	if _, ok := p.catalogue.Fact(name); ok && !slices.Contains(p.facts, name) {
		p.facts = append(p.facts, name)
	}
}

// planned compiles segments in their order for a day, with the thresholds that they need: those that are known stay, all others
// are computed. Other facts may be named that its catalogue shall have, too.
func (s *Service) planned(
	ctx context.Context, order []*definition.Definition, day time.Time, known thresholds, others ...string,
) (*plan, error) {
	names := slices.Clone(others)
	for _, d := range order {
		names = append(names, filter.Fields(d.Spec.GetSegment().GetDynamic().GetExpression())...)
	}
	catalogue, err := s.facts.CatalogueFor(ctx, names)
	if err != nil {
		return nil, err
	}
	p, err := s.compiled(ctx, catalogue, order, day, known)
	if err != nil {
		return nil, err
	}
	missing := p.missing()
	if len(missing) == 0 {
		return p, nil
	}
	found, err := s.computeThresholds(ctx, p, missing)
	if err != nil {
		return nil, err
	}
	return s.compiled(ctx, catalogue, order, day, known.with(found))
}

func (s *Service) compiled(
	ctx context.Context, catalogue *customerfact.Catalogue, order []*definition.Definition, day time.Time, known thresholds,
) (*plan, error) {
	p := s.newPlan(catalogue, day, known)
	for _, d := range order {
		r := s.add(ctx, p, d)
		var refused *apperr.Error
		if r.problem != nil && !errors.As(r.problem, &refused) {
			return nil, r.problem
		}
	}
	return p, nil
}

// from is the table expression to stand behind FROM under the alias f, with what the conditions ask for: of some customers, or of all.
func (s *Service) from(ctx context.Context, p *plan, customers []uint64) (warehouse.Query, error) {
	source, err := s.facts.Source(ctx, p.facts, p.day, customers)
	if err != nil {
		return warehouse.Query{}, err
	}
	sql := source.SQL
	for _, columns := range p.columns() {
		if len(columns) > 0 {
			sql = "(SELECT f.*, " + strings.Join(columns, ", ") + " FROM " + sql + " AS f)"
		}
	}
	return warehouse.Query{SQL: sql + " AS f", Args: append(slices.Clone(source.Parameters), p.args()...)}, nil
}

// columns are those that conditions refer to, by level.
func (p *plan) columns() [][]string {
	var out [][]string
	for _, r := range p.rules {
		if r.column == "" || !r.wanted {
			continue
		}
		for len(out) <= r.level {
			out = append(out, nil)
		}
		condition := "false"
		if r.problem == nil {
			condition = r.condition
		}
		out[r.level] = append(out[r.level], "toBool(ifNull("+condition+", false)) AS "+r.column)
	}
	return out
}

// args are the bound values of all conditions.
func (p *plan) args() []any {
	out := slices.Clone(p.own)
	for _, parameter := range p.statement.Parameters() {
		out = append(out, warehouse.Named(parameter.Name, parameter.Value))
	}
	return out
}

// frozen finds or makes the snapshot that a frozen segment has its members from.
func (s *Service) frozen(ctx context.Context, f *definitionv1.FrozenSegment) (Run, error) {
	asOf, err := date.Field("frozen.as_of", f.GetAsOf())
	if err != nil {
		return Run{}, err
	}
	run, found, err := s.store.snapshot(ctx, f.GetSegment(), uint64(f.GetDefinitionVersion()), asOf) //nolint:gosec // positive
	if err != nil || found {
		return run, err
	}
	d, err := s.definitions.Resolve(ctx, definition.Ref{Name: f.GetSegment(), Version: uint64(f.GetDefinitionVersion())}) //nolint:gosec // positive
	if err != nil {
		return Run{}, err
	}
	return s.compute(ctx, d, asOf)
}
