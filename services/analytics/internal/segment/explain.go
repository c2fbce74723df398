package segment

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"golang.org/x/sync/errgroup"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/date"
	"tandem.bank/pkg/filter"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	"tandem.bank/services/analytics/internal/definition"
	"tandem.bank/services/analytics/internal/permission"
	"tandem.bank/services/analytics/internal/warehouse"
)

// factBranch is the fact by which it is told whose customers a caller sees.
const factBranch = "branch_id"

// explanation is one being made: a plan for one customer, and the trees of its rules.
type explanation struct {
	service *Service
	plan    *plan
	// trees of the rules, by the names of their segments.
	trees map[string]*filter.Clause
	// places of leaves among the columns read, and the values of these.
	places   map[*filter.Clause]int
	leaves   []*filter.Clause
	holds    []bool
	observed []string
}

// Explain tells why a customer is or is not a member: now for the zero time. Errors: NOT_FOUND, INVALID_ARGUMENT, UNAVAILABLE.
func (s *Service) Explain(ctx context.Context, name string, customer uint64, at time.Time) (*analyticsv1.ExplainMembershipResponse, error) {
	if at.After(s.now()) {
		return nil, apperr.InvalidField("at", "has not come yet")
	}
	day := s.facts.Today()
	if !at.IsZero() {
		day = date.Day(at.In(s.timeZone))
	}
	q := &asking{service: s, name: name, customer: customer, at: at, day: day}
	if err := q.together(ctx); err != nil {
		return nil, warehouse.Public(err)
	}
	root, e, err := q.explained(ctx)
	if err != nil {
		return nil, warehouse.Public(err)
	}
	out := &analyticsv1.ExplainMembershipResponse{
		AsOf: date.Proto(day), DefinitionVersion: int64(root.Version), Rule: e.tree(e.trees[name]), LastEvent: q.last, //nolint:gosec // a version
	}
	out.Member = out.GetRule().GetHolds()
	out.NearMisses = e.nearMisses(name, out.GetRule())
	return out, nil
}

// asking is what an explanation asks the warehouse for, at once: the last event, the customer by the definitions that the follower read
// last, and the definitions, unless those were read a moment ago. Mostly they still stand; where they don't, the customer is asked for
// again.
type asking struct {
	service  *Service
	name     string
	customer uint64
	at, day  time.Time

	newest map[string]*definition.Definition
	last   *analyticsv1.MembershipEvent
	// order are the definitions that guessed is by; guessFailed is what came of it. Nobody may see either before the definitions are looked
	// at.
	order       []*definition.Definition
	guessed     *explanation
	guessFailed error
}

// together asks.
func (q *asking) together(ctx context.Context) error {
	s := q.service
	justRead := false
	if q.at.IsZero() { // of the past the follower knows nothing
		q.order, justRead = s.follower.remembered(ctx, q.name)
	}
	group, inner := errgroup.WithContext(ctx)
	if justRead {
		q.newest = byName(q.order)
	} else {
		group.Go(func() error {
			found, err := s.definitions.Newest(inner, append(names(q.order), q.name), q.at)
			q.newest = byName(found)
			return err
		})
	}
	group.Go(func() (err error) {
		q.last, err = s.lastEvent(inner, q.name, q.customer, q.at)
		return err
	})
	if q.order != nil {
		group.Go(func() error {
			q.guessed, q.guessFailed = s.explained(inner, q.order, q.day, q.customer)
			return nil
		})
	}
	return group.Wait()
}

// explained is the explanation by the definitions that stand, and the definition of the segment.
func (q *asking) explained(ctx context.Context) (*definition.Definition, *explanation, error) {
	root, err := q.find(ctx, q.name)
	if err != nil {
		return nil, nil, err
	}
	if err := root.Shown(ctx, definition.Ref{Name: q.name}); err != nil {
		return nil, nil, err
	}
	if err := ofSegments(root); err != nil {
		return nil, nil, err
	}
	order, err := ordered(ctx, q.find, root)
	if err != nil {
		return nil, nil, err
	}
	if slices.EqualFunc(order, q.order, (*definition.Definition).Same) {
		return root, q.guessed, q.guessFailed
	}
	e, err := q.service.explained(ctx, order, q.day, q.customer)
	return root, e, err
}

// find is a finder: what was not found at once is asked for by itself.
func (q *asking) find(ctx context.Context, name string) (*definition.Definition, error) {
	if d := q.newest[name]; d != nil {
		return d, nil
	}
	base, key, divided := strings.Cut(name, partSeparator)
	d, err := q.service.definitions.Resolve(ctx, definition.Ref{Name: base, At: q.at})
	if divided && err == nil {
		d = part(d, key)
	}
	return d, err
}

func byName(of []*definition.Definition) map[string]*definition.Definition {
	out := make(map[string]*definition.Definition, len(of))
	for _, d := range of {
		out[d.Name] = d
	}
	return out
}

// names of definitions.
func names(of []*definition.Definition) []string {
	out := make([]string, len(of))
	for i, d := range of {
		out[i] = d.Name
	}
	return out
}

// remembered is a segment behind all that it refers to, as definitions were read last, and whether that was a moment ago; nil when it is
// not known, or in a circle.
func (f *follower) remembered(ctx context.Context, name string) (order []*definition.Definition, justRead bool) {
	f.mu.RLock()
	known, read := f.known, f.read
	f.mu.RUnlock()
	if known[name] == nil {
		return nil, false
	}
	order, err := ordered(ctx, known.find, known[name])
	if err != nil {
		return nil, false
	}
	return order, time.Since(read) < 2*lookInterval
}

// explained plans a segment, the last in the order, with the trees of all that it refers to, and evaluates them for a customer.
func (s *Service) explained(ctx context.Context, order []*definition.Definition, day time.Time, customer uint64) (*explanation, error) {
	p, err := s.planned(ctx, order, day, s.follower.kept(day))
	if err != nil {
		return nil, err
	}
	e := &explanation{service: s, plan: p, trees: map[string]*filter.Clause{}, places: map[*filter.Clause]int{}}
	for _, r := range p.rules {
		if r.problem != nil {
			return nil, r.problem
		}
		tree, err := p.tree(r)
		if err != nil {
			return nil, err
		}
		e.trees[r.definition.Name] = tree
		for _, leaf := range tree.Leaves() {
			e.places[leaf] = len(e.leaves)
			e.leaves = append(e.leaves, leaf)
		}
	}
	return e, e.read(ctx, customer)
}

// kept are the thresholds with which segments are followed on a day; nil for another.
func (f *follower) kept(day time.Time) thresholds {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if f.state == nil || !f.day.Equal(day) {
		return nil
	}
	return f.thresholds
}

// tree is the rule of a segment as clauses: of a list it is one.
func (p *plan) tree(r *rule) (*filter.Clause, error) {
	segment := r.definition.Spec.GetSegment()
	switch {
	case segment.GetDynamic() != nil:
		return p.statement.Clauses(segment.GetDynamic().GetExpression(), p.schema)
	case isPart(r.definition):
		return &filter.Clause{Text: "in " + r.definition.Name + " by its newest run", Condition: r.condition}, nil
	case segment.GetFrozen() != nil:
		from := segment.GetFrozen()
		asOf, err := date.Time(from.GetAsOf())
		return &filter.Clause{Text: "frozen from " + from.GetSegment() + " on " + date.Text(asOf), Condition: r.condition}, err
	default:
		return &filter.Clause{Text: "in the list", Condition: r.condition}, nil
	}
}

// read evaluates all leaves for the customer, with the facts that they ask for.
func (e *explanation) read(ctx context.Context, customer uint64) error {
	conditions, facts := make([]string, len(e.leaves)), make([]string, len(e.leaves))
	for i, leaf := range e.leaves {
		conditions[i], facts[i] = "toBool("+leaf.Condition+")", "''"
		if fact, ok := e.plan.catalogue.Fact(leaf.Field); ok {
			facts[i] = "ifNull(toString(" + fact.Column() + "), '')"
		} else if leaf.Field != "" {
			facts[i] = "toString(f.customer_id)"
		}
	}
	branches, limited, err := permission.Branches(ctx)
	if err != nil {
		return err
	}
	if limited {
		e.plan.need(factBranch)
	}
	q, err := e.service.from(ctx, e.plan, []uint64{customer})
	if err != nil {
		return err
	}
	q.SQL = "SELECT [" + strings.Join(conditions, ", ") + "], [" + strings.Join(facts, ", ") + "] FROM " + q.SQL +
		" WHERE f.customer_id = {explained_customer:UInt64}"
	q.Args = append(q.Args, warehouse.Named("explained_customer", customer))
	if limited {
		q.SQL += " AND f." + factBranch + " IN {explained_branches:Array(Int64)}"
		q.Args = append(q.Args, warehouse.Named("explained_branches", branches))
	}
	err = warehouse.Each(warehouse.Interpreted(ctx), e.service.store.conn, "segment: explain", q, func(rows driver.Rows) error {
		return rows.Scan(&e.holds, &e.observed)
	})
	if err == nil && e.holds == nil {
		return apperr.NotFound("there was no customer %d on %s whom you may see", customer, date.Text(e.plan.day))
	}
	return err
}

// tree is a clause of a rule with what was observed.
func (e *explanation) tree(c *filter.Clause) *analyticsv1.SegmentClause {
	out := &analyticsv1.SegmentClause{Operator: string(c.Operator)}
	for _, part := range c.Parts {
		out.Parts = append(out.Parts, e.tree(part))
	}
	if c.Operator != filter.Leaf {
		out.Holds = joined(out)
		return out
	}
	place := e.places[c]
	out.Text, out.Fact, out.Observed, out.ComparedWith = c.Text, c.Field, e.observed[place], c.Value
	out.Holds = e.holds[place]
	if fact, ok := e.plan.catalogue.Fact(c.Field); ok {
		out.Unit = fact.Unit
	}
	switch c.Function {
	case functionSegment:
		r := e.plan.byName[c.Value]
		out.Segment, out.SegmentVersion, out.ComparedWith = c.Value, int64(r.definition.Version), "" //nolint:gosec // a version
		out.Parts = []*analyticsv1.SegmentClause{e.tree(e.trees[c.Value])}
	case functionTop, functionBottom:
		out.ComparedWith = e.plan.thresholds[c.Function+"("+c.Field+", "+c.Value+")"]
	}
	return out
}

// joined is what an operator makes of its parts.
func joined(c *analyticsv1.SegmentClause) bool {
	switch filter.Operator(c.GetOperator()) {
	case filter.Not:
		return !c.GetParts()[0].GetHolds()
	case filter.Or:
		for _, part := range c.GetParts() {
			if part.GetHolds() {
				return true
			}
		}
		return false
	default:
		for _, part := range c.GetParts() {
			if !part.GetHolds() {
				return false
			}
		}
		return true
	}
}

// nearMisses are the clauses each of which would change the answer alone. Those of segments that are referred to count, too; a
// clause that stands twice is turned at one place only.
func (e *explanation) nearMisses(segment string, rule *analyticsv1.SegmentClause) []*analyticsv1.SegmentNearMiss {
	var out []*analyticsv1.SegmentNearMiss
	before := rule.GetHolds()
	var visit func(c *analyticsv1.SegmentClause, in string, path []*analyticsv1.SegmentClause)
	visit = func(c *analyticsv1.SegmentClause, in string, path []*analyticsv1.SegmentClause) {
		within := in
		if c.GetSegment() != "" {
			within = c.GetSegment()
		}
		for _, part := range c.GetParts() {
			visit(part, within, append(slices.Clip(path), c))
		}
		if len(c.GetParts()) == 0 && c.GetOperator() == "" && turned(c, path) != before {
			out = append(out, &analyticsv1.SegmentNearMiss{
				Text: c.GetText(), Segment: in, Fact: c.GetFact(), Observed: c.GetObserved(), ComparedWith: c.GetComparedWith(), Holds: c.GetHolds(),
			})
		}
	}
	visit(rule, segment, nil)
	return out
}

// turned is what the rule would give with a leaf turned. path leads from the rule to the leaf.
func turned(leaf *analyticsv1.SegmentClause, path []*analyticsv1.SegmentClause) bool {
	value, child := !leaf.GetHolds(), leaf
	for _, above := range slices.Backward(path) {
		switch filter.Operator(above.GetOperator()) {
		case filter.Not:
			value = !value
		case filter.And:
			value = value && others(above, child, true)
		case filter.Or:
			value = value || !others(above, child, false)
		}
		child = above
	}
	return value
}

// others says whether all other parts are so.
func others(above, child *analyticsv1.SegmentClause, so bool) bool {
	for _, part := range above.GetParts() {
		if part != child && part.GetHolds() != so {
			return false
		}
	}
	return true
}
