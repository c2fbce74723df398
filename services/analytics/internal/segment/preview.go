package segment

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"golang.org/x/sync/errgroup"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/filter"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	"tandem.bank/services/analytics/internal/customerfact"
	"tandem.bank/services/analytics/internal/definition"
	"tandem.bank/services/analytics/internal/warehouse"
)

// valuesMax is how many values a breakdown lists.
const valuesMax = 20

// Preview is an expression evaluated for a day; nothing of it is kept.
type Preview struct {
	AsOf            time.Time
	Customers, Base uint64
	Sample          []uint64
	Breakdowns      []*analyticsv1.SegmentBreakdown
	Overlaps        []*analyticsv1.SegmentOverlap
}

// preview is one being made.
type preview struct {
	*Preview

	service *Service
	plan    *plan
	// rule is that of the expression; overlaps are those that it is compared with.
	rule     *rule
	overlaps []*rule
}

// Preview evaluates an expression. Errors: INVALID_ARGUMENT, NOT_FOUND, UNAVAILABLE.
func (s *Service) Preview(ctx context.Context, req *analyticsv1.PreviewSegmentRequest, asOf time.Time) (*Preview, error) {
	v := &preview{Preview: &Preview{AsOf: s.day(asOf)}, service: s}
	if err := v.compile(ctx, req); err != nil {
		return nil, warehouse.Public(err)
	}
	facts, err := v.breakdowns(req.GetBreakdownFacts())
	if err != nil {
		return nil, err
	}
	// What is asked for goes to ClickHouse together; each question reads the facts that it needs.
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(4)
	group.Go(func() error { return v.count(inner) })
	if req.GetSampleSize() > 0 {
		group.Go(func() error { return v.sample(inner, int(req.GetSampleSize())) })
	}
	v.Breakdowns = make([]*analyticsv1.SegmentBreakdown, len(facts))
	for i, fact := range facts {
		group.Go(func() error { return v.breakdown(inner, i, fact) })
	}
	if err := group.Wait(); err != nil {
		return nil, warehouse.Public(err)
	}
	v.index()
	return v.Preview, nil
}

// compile checks the expression and plans it, with the segments that it is compared with.
func (v *preview) compile(ctx context.Context, req *analyticsv1.PreviewSegmentRequest) error {
	s, d := v.service, unsaved(req.GetExpression())
	known := library{}
	if len(references(d)) > 0 || len(req.GetOverlapSegments()) > 0 {
		var err error
		if known, err = s.readable(ctx); err != nil {
			return err
		}
	}
	roots := []*definition.Definition{d}
	for i, name := range req.GetOverlapSegments() {
		if known[name] == nil {
			return apperr.InvalidField(fmt.Sprintf("overlap_segments[%d]", i), "there is no segment %q", name)
		}
		roots = append(roots, known[name])
	}
	order, err := ordered(ctx, known.find, roots...)
	if err != nil {
		return apperr.InvalidField("overlap_segments", "%v", err)
	}
	if v.plan, err = s.planned(ctx, order, v.AsOf, nil, req.GetBreakdownFacts()...); err != nil {
		return err
	}
	v.rule = v.plan.byName[""]
	for _, name := range req.GetOverlapSegments() {
		v.overlaps = append(v.overlaps, v.plan.byName[name])
	}
	if v.rule.problem == nil {
		return nil
	}
	// Compiled once more, among all names, so that the nearest can be told.
	found, err := s.compileExpression(ctx, known, d)
	if err := refused("expression", found, err); err != nil {
		return err
	}
	return v.rule.problem
}

// breakdowns finds facts to break down by.
func (v *preview) breakdowns(names []string) ([]*customerfact.Fact, error) {
	out := make([]*customerfact.Fact, len(names))
	for i, name := range names {
		fact, ok := v.plan.catalogue.Fact(name)
		if !ok {
			hint := ""
			if like := filter.Nearest(name, v.plan.catalogue.Names()); like != "" {
				hint = fmt.Sprintf("; did you mean %q?", like)
			}
			return nil, apperr.InvalidField(fmt.Sprintf("breakdown_facts[%d]", i), "%q is not a fact of customers%s", name, hint)
		}
		out[i] = fact
	}
	return out, nil
}

// from is the plan's table, with one more fact.
func (v *preview) from(ctx context.Context, facts ...string) (warehouse.Query, error) {
	p := *v.plan
	p.facts = slices.Clone(p.facts)
	for _, name := range facts {
		p.need(name)
	}
	return v.service.from(ctx, &p, nil)
}

// count counts the members, all customers, and the members of other segments and of both: all in one reading of the facts.
func (v *preview) count(ctx context.Context) error {
	q, err := v.from(ctx)
	if err != nil {
		return err
	}
	ours := v.rule.holds()
	counts := []string{"count()", "countIf(" + ours + ")"}
	for _, r := range v.overlaps {
		theirs := r.holds()
		counts = append(counts, "countIf("+theirs+")", "countIf("+theirs+" AND "+ours+")")
	}
	var found []uint64
	q.SQL = "SELECT [" + strings.Join(counts, ", ") + "] FROM " + q.SQL
	if err := v.service.store.one(ctx, "count members", q, &found); err != nil {
		return err
	}
	v.Base, v.Customers = found[0], found[1]
	for i, r := range v.overlaps {
		v.overlap(r, found[2*i+2], found[2*i+3])
	}
	return nil
}

// overlap compares with the members of another segment.
func (v *preview) overlap(r *rule, theirs, both uint64) {
	o := &analyticsv1.SegmentOverlap{Segment: r.definition.Name, Customers: int64(theirs), BothCustomers: int64(both)} //nolint:gosec // counts
	if either := v.Customers + theirs - both; either > 0 {
		o.Similarity = float64(both) / float64(either)
	}
	v.Overlaps = append(v.Overlaps, o)
}

// sample takes the members with the least hashes: always the same of the same members, and from everywhere among them.
func (v *preview) sample(ctx context.Context, size int) error {
	q, err := v.from(ctx)
	if err != nil {
		return err
	}
	q.SQL = fmt.Sprintf("SELECT f.customer_id FROM %s WHERE %s ORDER BY cityHash64(f.customer_id), f.customer_id LIMIT %d",
		q.SQL, v.rule.holds(), size)
	err = warehouse.Each(ctx, v.service.store.conn, "segment: take a sample", q, func(rows driver.Rows) error {
		var id uint64
		err := rows.Scan(&id)
		v.Sample = append(v.Sample, id)
		return err
	})
	slices.Sort(v.Sample)
	return err
}

// breakdown counts members by the values of a fact.
func (v *preview) breakdown(ctx context.Context, place int, fact *customerfact.Fact) error {
	q, err := v.from(ctx, fact.Name)
	if err != nil {
		return err
	}
	value := "ifNull(toString(" + fact.Column() + "), '')"
	if fact.Type == customerfact.Texts {
		value = "arrayJoin(if(empty(" + fact.Column() + "), [''], " + fact.Column() + "))"
	}
	q.SQL = fmt.Sprintf("SELECT toString(%s) AS value, countIf(%s) AS customers, count() AS base FROM %s GROUP BY value "+
		"ORDER BY customers DESC, base DESC, value", value, v.rule.holds(), q.SQL)
	out := &analyticsv1.SegmentBreakdown{Fact: fact.Name}
	v.Breakdowns[place] = out
	return warehouse.Each(ctx, v.service.store.conn, "segment: break members down", q, func(rows driver.Rows) error {
		var value string
		var customers, base uint64
		if err := rows.Scan(&value, &customers, &base); err != nil {
			return err
		}
		if len(out.GetValues()) == valuesMax || customers == 0 {
			out.OtherCustomers += int64(customers)
			return nil
		}
		out.Values = append(out.Values, &analyticsv1.SegmentBreakdownValue{
			Value: value, Customers: int64(customers), BaseCustomers: int64(base),
		})
		return nil
	})
}

// index compares the shares of values among members with those among all customers.
func (v *preview) index() {
	if v.Customers == 0 || v.Base == 0 {
		return
	}
	for _, b := range v.Breakdowns {
		for _, value := range b.GetValues() {
			share, base := float64(value.GetCustomers())/float64(v.Customers), float64(value.GetBaseCustomers())/float64(v.Base)
			value.Index = share / base
		}
	}
}
