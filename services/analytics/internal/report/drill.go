package report

import (
	"context"
	"slices"
	"time"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/date"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
)

// Drill says how to look into a cell.
type Drill struct {
	// Report and Cell are the tokens.
	Report, Cell string
	// Dimension to see it by; empty means the next level.
	Dimension string
	// Rows asks for the rows themselves.
	Rows bool
	// Limit of rows.
	Limit int32
}

// Drill goes one level deeper into a cell, or to the rows behind it. The caller's rights are those of now.
func (s *Service) Drill(ctx context.Context, d Drill, caller Caller, to Sink) (*analyticsv1.ReportEnd, error) {
	t, mac, err := s.signer.openReport(d.Report, caller)
	if err != nil {
		return nil, err
	}
	p, err := s.reopen(ctx, t, caller)
	if err != nil {
		return nil, err
	}
	at, err := s.signer.openCell(mac, d.Cell, len(p.dimensions))
	if err != nil {
		return nil, err
	}
	if at.value >= len(p.values()) {
		return nil, apperr.InvalidField("cell", "is no token of a cell of this report")
	}
	c := &cellPlan{plan: p, at: at, value: p.values()[at.value], coordinates: p.within(at)}
	if c.now, c.earlier, err = p.spans(at, c.value); err != nil {
		return nil, err
	}
	deeper, err := c.deeper(d)
	if err != nil {
		return nil, err
	}
	if deeper == nil {
		return s.details(ctx, c, d.Limit, to)
	}
	finer, err := s.finer(c, deeper, d.Limit, caller)
	if err != nil {
		return nil, err
	}
	_, end, err := s.run(ctx, finer, caller, to)
	return end, err
}

// reopen makes the plan that a token was given for.
func (s *Service) reopen(ctx context.Context, t ticket, caller Caller) (*plan, error) {
	q, err := t.query()
	if err != nil {
		return nil, err
	}
	var at []coordinate
	for _, c := range t.At {
		at = append(at, coordinate{s.catalogue.Dimension(c.Dimension), c.Member, c.Key})
	}
	p, err := s.prepare(q, caller.Scope, at)
	if err != nil {
		return nil, err
	}
	if t.Rank != nil {
		outer, err := s.reopen(ctx, ticket{Query: t.Rank}, caller)
		if err != nil {
			return nil, err
		}
		p.rank, p.source = outer.rank, outer.query
	}
	return p, s.begin(ctx, p)
}

// cellPlan is a cell with what it is about.
type cellPlan struct {
	plan         *plan
	at           place
	value        value
	coordinates  []coordinate
	now, earlier span
}

// within lists what a cell says about the dimensions, beside what its report was narrowed to.
func (p *plan) within(at place) []coordinate {
	out := slices.Clone(p.coordinates)
	for i, d := range p.dimensions {
		switch {
		case at.summed&(1<<(len(p.dimensions)-1-i)) != 0:
			if d == p.top && !p.query.GetTop().GetOthers() {
				out = append(out, coordinate{dimension: d, member: memberTop})
			}
		case at.others && d == p.top:
			out = append(out, coordinate{dimension: d, member: memberOthers})
		default:
			out = append(out, coordinate{dimension: d, key: at.keys[i]})
		}
	}
	if at.pivoted {
		out = append(out, coordinate{dimension: p.pivot, key: at.pivot})
	}
	return out
}

// spans are the days that a cell is about, and those that it is compared with.
func (p *plan) spans(at place, v value) (now, earlier span, err error) {
	if p.grain == 0 {
		if p.compared() {
			earlier = p.earlier[0].span
		}
		return p.period, earlier, nil
	}
	i := slices.IndexFunc(p.cuts, func(c cut) bool { return c.name.Equal(at.cut) })
	switch {
	case i >= 0:
		now = p.cuts[i].span
	case p.period.from.IsZero():
		now = span{at.cut, end(p.grain, at.cut)}
		if now.to.After(p.period.to) {
			now.to = p.period.to
		}
	default:
		return now, earlier, apperr.InvalidField("cell", "is no token of a cell of this report")
	}
	if v.kind == valueRunning {
		now.from = p.period.from
	}
	if i >= 0 && p.compared() {
		earlier = p.earlier[i].span
	}
	return now, earlier, nil
}

// deeper is the dimension to see a cell by; nil for its rows.
func (c *cellPlan) deeper(d Drill) (*Dimension, error) {
	has := c.plan.catalogue.dimensionsOf(c.value.measure)
	if d.Rows {
		return nil, nil
	}
	if d.Dimension != "" {
		next := c.plan.catalogue.Dimension(d.Dimension)
		if next == nil || !slices.Contains(has, d.Dimension) {
			return nil, apperr.Invalid(unknown("dimension", "dimension of "+c.value.measure.Name, d.Dimension, has))
		}
		return next, nil
	}
	next := c.next()
	if next == nil || !slices.Contains(has, next.Name) {
		return nil, nil
	}
	return next, nil
}

// next is the level under the finest one that the cell has a value of: of a total the report's first dimension.
func (c *cellPlan) next() *Dimension {
	p := c.plan
	for i, d := range slices.Backward(p.dimensions) {
		if c.at.summed&(1<<(len(p.dimensions)-1-i)) != 0 {
			continue
		}
		if c.at.others && d == p.top {
			return p.top
		}
		return p.catalogue.finer(d.Name)
	}
	if len(p.dimensions) > 0 {
		return p.dimensions[0]
	}
	if p.grain != 0 && len(p.coordinates) == 0 {
		return p.catalogue.finer(grainName(p.grain))
	}
	return nil
}

// finer makes the plan of a cell seen by one more dimension. A difference keeps its cut, for so it is compared as before.
func (s *Service) finer(c *cellPlan, by *Dimension, limit int32, caller Caller) (*plan, error) {
	compared := c.value.kind == valueDifference || c.value.kind == valueChange
	q := &definitionv1.ReportQuery{
		Measures: []string{c.value.measure.Name}, Filter: c.plan.query.GetFilter(), AsOf: c.plan.query.GetAsOf(),
		Currency: c.plan.query.GetCurrency(), Limit: limit, Subtotals: definitionv1.Subtotals_SUBTOTALS_TOTAL,
		Period: dayRange(c.span()),
	}
	if compared {
		q.Comparison, q.Grain, q.Period = c.plan.query.GetComparison(), c.plan.grain, dayRange(c.now)
	}
	if by.Grain != "" {
		q.Grain, q.Subtotals = grainNames[by.Grain], 0
	} else {
		q.Dimensions = []string{by.Name}
	}
	p, err := s.prepare(q, caller.Scope, c.coordinates)
	if err != nil {
		return nil, err
	}
	p.rank, p.source = c.ranks()
	return p, nil
}

// ranks is the plan that decides about being among the greatest, for coordinates that speak of it.
func (c *cellPlan) ranks() (*plan, *definitionv1.ReportQuery) {
	if c.plan.top != nil {
		return c.plan.rank, c.plan.query
	}
	return c.plan.rank, c.plan.source
}

func (c *cellPlan) span() span {
	if c.value.kind == valueEarlier {
		return c.earlier
	}
	return c.now
}

func dayRange(s span) *definitionv1.ReportPeriod {
	if s.from.IsZero() {
		// All days until one: the first that a date can name.
		s.from = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return &definitionv1.ReportPeriod{Kind: &definitionv1.ReportPeriod_Days{Days: &definitionv1.DayRange{
		From: date.Proto(s.from), To: date.Proto(s.to),
	}}}
}
