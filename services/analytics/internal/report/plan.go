package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/filter"
	"tandem.bank/pkg/money"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
)

// Limits of an answer.
const (
	limitDefault    = 100_000
	pivotValuesMax  = 200
	columnsMax      = 1000
	cubeDimensions  = 5
	nearMax         = 3
	orderFieldsMax  = 20
	filterIDSuffix  = "_id"
	orderDescending = "desc"
)

// Scope is what the caller may see.
type Scope struct {
	// Limited says that only Branches are seen.
	Limited  bool
	Branches []int64
}

// plan is a question whose names are found in the catalogue.
type plan struct {
	catalogue *Catalogue
	query     *definitionv1.ReportQuery
	scope     Scope
	asOf      time.Time
	period    span
	// base are the measures that are computed from facts, each once.
	base       []*Measure
	measures   []*Measure
	dimensions []*Dimension
	pivot      *Dimension
	grain      definitionv1.TimeGrain
	cuts       []cut
	earlier    []cut
	order      []orderField
	top        *Dimension
	topMeasure *Measure
	// coordinates narrow a report to one cell.
	coordinates []coordinate
	// rank is the plan whose greatest values decide about top and about coordinates; nil without them. It keeps so many values,
	// the greatest or the smallest.
	rank     *plan
	keep     int32
	smallest bool
	// source is the question whose greatest values coordinates speak of; nil without such.
	source *definitionv1.ReportQuery
}

// coordinate is what a cell says about one dimension.
type coordinate struct {
	dimension *Dimension
	member    member
	key       string
}

// member is what a dimension's value stands for.
type member int

const (
	memberValue member = iota
	memberOthers
	// memberTop is any of the greatest values: what a subtotal over a dimension sums up when the rest was left out.
	memberTop
)

// orderField is a column of the answer with a direction.
type orderField struct {
	name       string
	descending bool
}

// keys are the dimensions with the pivot as the last one.
func (p *plan) keys() []*Dimension {
	if p.pivot == nil {
		return p.dimensions
	}
	return append(slices.Clone(p.dimensions), p.pivot)
}

func (p *plan) compared() bool { return p.query.GetComparison() != 0 }

// narrowed reports whether rows are left out for what dimensions and the currency say of them.
func (p *plan) narrowed() bool {
	return p.scope.Limited || len(p.coordinates) > 0 || strings.TrimSpace(p.query.GetFilter()) != "" || p.query.GetCurrency() != ""
}

// newPlan finds everything that a question names. asOf is set in the question by now.
func newPlan(c *Catalogue, q *definitionv1.ReportQuery, asOf time.Time, scope Scope) (*plan, error) {
	p := &plan{catalogue: c, query: q, scope: scope, asOf: asOf, grain: q.GetGrain()}
	var err error
	if p.period, err = resolvePeriod(q.GetPeriod(), asOf); err != nil {
		return nil, err
	}
	var wrong []apperr.Violation
	for _, step := range []func() []apperr.Violation{p.findMeasures, p.findDimensions, p.findOptions} {
		wrong = append(wrong, step()...)
	}
	if len(wrong) > 0 {
		return nil, apperr.Invalid(wrong...)
	}
	for _, step := range []func() []apperr.Violation{p.checkFacts, p.checkColumns, p.checkOrder, p.checkFilter} {
		wrong = append(wrong, step()...)
	}
	return p, apperr.Invalid(wrong...)
}

// setPeriod cuts a period that has a beginning now.
func (p *plan) setPeriod(s span) error {
	p.period = s
	if p.top != nil {
		p.rank = p.ranked()
		p.rank.keep, p.rank.smallest = p.query.GetTop().GetCount(), p.query.GetTop().GetSmallest()
	}
	if p.compared() && s.from.IsZero() {
		return apperr.InvalidField("query.comparison", "needs a period with a beginning")
	}
	if p.grain == 0 {
		// One cut that has no name: its values are those of the whole period.
		p.cuts = []cut{{span: s}}
		if p.compared() {
			p.earlier = []cut{{span: earlierSpan(p.query.GetComparison(), s)}}
		}
		return nil
	}
	if s.from.IsZero() {
		p.cuts = []cut{{span: s}}
		return nil
	}
	var err error
	if p.cuts, err = cuts(p.grain, s); err != nil || !p.compared() {
		return err
	}
	p.earlier = make([]cut, len(p.cuts))
	for i, c := range p.cuts {
		p.earlier[i] = earlierCut(p.query.GetComparison(), p.grain, c)
	}
	return nil
}

func violation(field, format string, args ...any) apperr.Violation {
	return apperr.Violation{Field: field, Description: fmt.Sprintf(format, args...)}
}

// unknown names what is wrong and what may have been meant.
func unknown(field, kind, name string, names []string) apperr.Violation {
	if like := near(name, names); len(like) > 0 {
		return violation(field, "%q is not a %s; near ones are %s", name, kind, strings.Join(like, ", "))
	}
	return violation(field, "%q is not a %s; there are %s", name, kind, strings.Join(names, ", "))
}

// near returns the names most like a wrong one, the best first.
func near(wrong string, names []string) []string {
	var out []string
	left := slices.Clone(names)
	for range nearMax {
		like := filter.Nearest(wrong, left)
		if like == "" {
			break
		}
		out = append(out, like)
		left = slices.DeleteFunc(left, func(name string) bool { return name == like })
	}
	return out
}

func (c *Catalogue) measureNames() []string {
	names := make([]string, len(c.Measures))
	for i, m := range c.Measures {
		names[i] = m.Name
	}
	return names
}

func (c *Catalogue) dimensionNames() []string {
	names := make([]string, len(c.Dimensions))
	for i, d := range c.Dimensions {
		names[i] = d.Name
	}
	return names
}

func (p *plan) findMeasures() []apperr.Violation {
	var wrong []apperr.Violation
	for i, name := range p.query.GetMeasures() {
		field := fmt.Sprintf("query.measures[%d]", i)
		m := p.catalogue.Measure(name)
		if m == nil {
			wrong = append(wrong, unknown(field, "measure", name, p.catalogue.measureNames()))
			continue
		}
		p.measures = append(p.measures, m)
		for _, of := range p.catalogue.parts(m) {
			if !slices.Contains(p.base, of) {
				p.base = append(p.base, of)
			}
			if p.query.GetCurrency() != "" && of.Unit == unitMoney && of.Stated == "" {
				wrong = append(wrong, violation("query.currency", "%s is known only in the base currency", name))
			}
		}
	}
	if code := p.query.GetCurrency(); code != "" {
		if err := money.CheckCurrency(code); err != nil {
			wrong = append(wrong, violation("query.currency", "%v", err))
		}
	}
	return wrong
}

func (p *plan) findDimensions() []apperr.Violation {
	var wrong []apperr.Violation
	for i, name := range p.query.GetDimensions() {
		field := fmt.Sprintf("query.dimensions[%d]", i)
		switch d := p.catalogue.Dimension(name); {
		case d == nil:
			wrong = append(wrong, unknown(field, "dimension", name, p.catalogue.dimensionNames()))
		case d.Grain == "":
			p.dimensions = append(p.dimensions, d)
		case p.grain != 0 && p.grain != grainNames[d.Grain]:
			wrong = append(wrong, violation(field, "a report has one grain of time, and it is %s", grainName(p.grain)))
		default:
			p.grain = grainNames[d.Grain]
		}
	}
	if name := p.query.GetPivot(); name != "" {
		switch d := p.catalogue.Dimension(name); {
		case d == nil:
			wrong = append(wrong, unknown("query.pivot", "dimension", name, p.catalogue.dimensionNames()))
		case d.Grain != "":
			wrong = append(wrong, violation("query.pivot", "time does not go into columns"))
		default:
			p.pivot = d
		}
	}
	return wrong
}

func (p *plan) findOptions() []apperr.Violation {
	var wrong []apperr.Violation
	if p.query.GetSubtotals() == definitionv1.Subtotals_SUBTOTALS_CUBE && len(p.dimensions) > cubeDimensions {
		wrong = append(wrong, violation("query.subtotals", "a cube has at most %d dimensions", cubeDimensions))
	}
	top := p.query.GetTop()
	if top == nil {
		return wrong
	}
	names := make([]string, len(p.dimensions))
	for i, d := range p.dimensions {
		names[i] = d.Name
	}
	switch i := slices.Index(names, top.GetDimension()); {
	case i >= 0:
		p.top = p.dimensions[i]
	case top.GetDimension() == "" && len(names) > 0:
		p.top = p.dimensions[0]
	case len(names) == 0:
		wrong = append(wrong, violation("query.top", "needs a dimension"))
	default:
		wrong = append(wrong, unknown("query.top.dimension", "dimension of this report", top.GetDimension(), names))
	}
	i := slices.Index(p.query.GetMeasures(), top.GetMeasure())
	if i < 0 {
		return append(wrong, unknown("query.top.measure", "measure of this report", top.GetMeasure(), p.query.GetMeasures()))
	}
	if i < len(p.measures) {
		p.topMeasure = p.measures[i]
	}
	return wrong
}

// checkFacts makes sure that every fact has every dimension: a fact without one could only be repeated for each of its values.
func (p *plan) checkFacts() []apperr.Violation {
	var wrong []apperr.Violation
	for _, m := range p.measures {
		has := p.catalogue.dimensionsOf(m)
		for _, d := range p.keys() {
			if !slices.Contains(has, d.Name) {
				wrong = append(wrong, violation("query.dimensions", "%s can't be seen by %s; it can by %s", m.Name, d.Name, strings.Join(has, ", ")))
			}
		}
		for _, of := range p.catalogue.parts(m) {
			if p.scope.Limited && !p.catalogue.Fact(of.Fact).has(p.catalogue.Dimension(dimensionBranch)) {
				wrong = append(wrong, violation("query.measures", "%s belongs to no branch, and you are limited to yours", m.Name))
			}
			if p.query.GetCurrency() != "" && of.Stated != "" && p.catalogue.Fact(of.Fact).Currency == "" {
				wrong = append(wrong, violation("query.currency", "%s has no currency of its own", m.Name))
			}
		}
	}
	return wrong
}

// checkColumns makes sure that what is asked for beside the measures has a measure that it can be told of.
func (p *plan) checkColumns() []apperr.Violation {
	var wrong []apperr.Violation
	if p.query.GetRunningTotal() && !slices.ContainsFunc(p.measures, p.additive) {
		wrong = append(wrong, violation("query.running_total", "%s: none of these adds up over time", strings.Join(p.query.GetMeasures(), ", ")))
	}
	if p.query.GetShareOfTotal() && !slices.ContainsFunc(p.measures, (*Measure).shared) {
		wrong = append(wrong, violation("query.share_of_total",
			"%s: ratios and distinct counts are no sums that one could have a share of", strings.Join(p.query.GetMeasures(), ", ")))
	}
	return wrong
}

// checkOrder reads the order and finds its columns.
func (p *plan) checkOrder() []apperr.Violation {
	if strings.TrimSpace(p.query.GetOrderBy()) == "" {
		return nil
	}
	names := p.orderNames()
	var wrong []apperr.Violation
	parts := strings.Split(p.query.GetOrderBy(), ",")
	if len(parts) > orderFieldsMax {
		return []apperr.Violation{violation("query.order_by", "has more than %d fields", orderFieldsMax)}
	}
	for _, part := range parts {
		words := strings.Fields(part)
		if len(words) == 0 || len(words) > 2 || len(words) == 2 && words[1] != orderDescending {
			wrong = append(wrong, violation("query.order_by", "%q is not a column, followed by desc or not", strings.TrimSpace(part)))
			continue
		}
		if !slices.Contains(names, words[0]) {
			wrong = append(wrong, unknown("query.order_by", "column of this report", words[0], names))
			continue
		}
		p.order = append(p.order, orderField{words[0], len(words) == 2})
	}
	return wrong
}

// orderNames are the columns that can be ordered by; with a pivot measures mean those over all its values.
func (p *plan) orderNames() []string {
	var names []string
	if p.grain != 0 {
		names = append(names, grainName(p.grain))
	}
	for _, d := range p.dimensions {
		names = append(names, d.Name)
	}
	for _, v := range p.values() {
		names = append(names, v.name)
	}
	return names
}

func cloneQuery(q *definitionv1.ReportQuery) *definitionv1.ReportQuery { return proto.CloneOf(q) }
