package report

import (
	"fmt"
	"slices"
	"strings"
)

// ranked makes the plan whose order decides which values of a dimension are the greatest.
func (p *plan) ranked() *plan {
	rank := *p
	rank.query = cloneQuery(p.query)
	rank.query.Top, rank.query.Subtotals, rank.query.Comparison, rank.query.ShareOfTotal, rank.query.RunningTotal = nil, 0, 0, false, false
	rank.measures, rank.base = []*Measure{p.topMeasure}, p.catalogue.parts(p.topMeasure)
	rank.dimensions, rank.pivot, rank.grain, rank.top, rank.order = []*Dimension{p.top}, nil, 0, nil, nil
	rank.cuts, rank.earlier = []cut{{span: p.period}}, nil
	return &rank
}

// ranking lists the greatest values of the plan's only dimension.
func (p *plan) ranking(b *binder) string {
	return fmt.Sprintf("SELECT r.k0 FROM (%s) AS r ORDER BY r.v0%s NULLS LAST, r.k0 LIMIT %s",
		p.numbers(b), p.direction(), b.bind("UInt32", p.keep))
}

// direction puts the values first that a ranking keeps.
func (p *plan) direction() string {
	if p.smallest {
		return ""
	}
	return " DESC"
}

// numbers turns the measures of the facts into the columns of the answer, v0….
func (p *plan) numbers(b *binder) string {
	selected := aliased(p.keyNames("c.", "g"))
	for i, v := range p.values() {
		selected = append(selected, fmt.Sprintf("%s AS v%d", p.number(v), i))
	}
	return fmt.Sprintf("SELECT %s FROM (%s) AS c", strings.Join(selected, ", "), p.cells(b))
}

// number is one column of the answer.
func (p *plan) number(v value) string {
	column := func(of side) func(*Measure) string {
		return func(m *Measure) string { return fmt.Sprintf("c.%s%d", of.letter(), slices.Index(p.base, m)) }
	}
	now, earlier := p.measured(v.measure, column(sideNow)), ""
	if p.compared() {
		earlier = p.measured(v.measure, column(sideEarlier))
	}
	switch v.kind {
	case valueEarlier:
		return earlier
	case valueDifference:
		return now + " - " + earlier
	case valueChange:
		return fmt.Sprintf("if(ifNull(%[2]s, 0) = 0, NULL, toFloat64(%[1]s - %[2]s) / toFloat64(%[2]s))", now, earlier)
	case valueRunning:
		var keys []string
		for i := range p.dimensions {
			keys = append(keys, fmt.Sprintf("c.k%d", i))
		}
		return fmt.Sprintf("sum(%s) OVER (PARTITION BY %s ORDER BY c.t ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)",
			now, strings.Join(append(keys, "c.o"), ", "))
	case valueShare:
		by := ""
		if p.grain != 0 {
			by = "PARTITION BY c.t"
		}
		total := fmt.Sprintf("sumIf(%s, c.g = 0) OVER (%s)", now, by)
		return fmt.Sprintf("if(%[2]s = 0, NULL, toFloat64(%[1]s) / toFloat64(%[2]s))", now, total)
	default:
		return now
	}
}

// measured is a measure out of its parts; a ratio is made of the sums of its group.
func (p *plan) measured(m *Measure, column func(*Measure) string) string {
	if len(m.RatioOf) == 0 {
		return column(m)
	}
	of := p.catalogue.parts(m)
	return fmt.Sprintf("if(%[2]s = 0, NULL, toFloat64(%[1]s) / toFloat64(%[2]s))", column(of[0]), column(of[1]))
}

// answerType is the type of a column of the answer; all of them may be empty.
func answerType(v value) string {
	if v.kind == valueChange || v.kind == valueShare || len(v.measure.RatioOf) > 0 {
		return "Nullable(Float64)"
	}
	return "Nullable(" + numberType(v.measure) + ")"
}

// statement writes the whole question. pivot holds the values that become columns, as text.
func (p *plan) statement(b *binder, pivot []string, limit int) string {
	source := p.numbers(b)
	if p.pivot != nil {
		source = p.pivoted(b, source, pivot)
	}
	selected := []string{"r.o AS o", "r.g AS g"}
	if p.grain != 0 {
		selected = append(selected, "r.t AS t")
	}
	for i := range p.dimensions {
		selected = append(selected, fmt.Sprintf("toString(r.k%d) AS k%d", i, i), fmt.Sprintf("%s AS n%d", p.labelled(i), i))
	}
	for i, v := range p.values() {
		for j := range max(1, len(pivot)+p.pivots()) {
			column := fmt.Sprintf("v%d", i+j*len(p.values()))
			selected = append(selected, fmt.Sprintf("CAST(r.%s, '%s') AS %s", column, answerType(v), column))
		}
	}
	return fmt.Sprintf("SELECT %s FROM (%s) AS r ORDER BY %s LIMIT %s",
		strings.Join(selected, ", "), source, strings.Join(p.ordered(), ", "), b.bind("UInt64", limit))
}

// pivots is 1 with a pivot: its columns over all values come last.
func (p *plan) pivots() int {
	if p.pivot == nil {
		return 0
	}
	return 1
}

// labelled is the title of a dimension's value.
func (p *plan) labelled(i int) string {
	key := fmt.Sprintf("r.k%d", i)
	if label := p.catalogue.label(p.dimensions[i], key); label != "" {
		return label
	}
	return "toString(" + key + ")"
}

// pivoted turns the values of the pivot into columns; those over all values come last.
func (p *plan) pivoted(b *binder, source string, pivot []string) string {
	names := []string{"v.o"}
	if p.grain != 0 {
		names = append(names, "v.t")
	}
	for i := range p.dimensions {
		names = append(names, fmt.Sprintf("v.k%d", i))
	}
	selected := append(aliased(names), "bitShiftRight(v.g, 1) AS g")
	key := fmt.Sprintf("v.k%d", len(p.dimensions))
	for j := range len(pivot) + 1 {
		when := "bitAnd(v.g, 1) = 1"
		if j < len(pivot) {
			when = "bitAnd(v.g, 1) = 0 AND " + key + " = " + b.bind(columnTypes[p.pivot.Type], pivot[j])
		}
		for i := range p.values() {
			selected = append(selected, fmt.Sprintf("anyIf(v.v%d, %s) AS v%d", i, when, i+j*len(p.values())))
		}
	}
	return fmt.Sprintf("SELECT %s FROM (%s) AS v GROUP BY %s, g", strings.Join(selected, ", "), source, strings.Join(names, ", "))
}

// pivotValues lists the values of the pivot with their titles, one more than are allowed.
func (p *plan) pivotValues(b *binder) string {
	values := *p
	values.query = cloneQuery(p.query)
	values.query.Subtotals, values.query.Comparison = 0, 0
	values.dimensions, values.pivot, values.grain, values.order = []*Dimension{p.pivot}, nil, 0, nil
	values.base, values.top = counted(p.base), nil
	values.cuts, values.earlier = []cut{{span: p.period}}, nil
	if p.top != nil && !p.query.GetTop().GetOthers() {
		values.coordinates = append(slices.Clone(p.coordinates), coordinate{dimension: p.top, member: memberTop})
	}
	return fmt.Sprintf("SELECT toString(r.k0), %s AS n0 FROM (%s) AS r ORDER BY n0, r.k0 LIMIT %d",
		values.labelled(0), values.cells(b), pivotValuesMax+1)
}

// counted are measures that only count the rows of others: enough to know what there is.
func counted(measures []*Measure) []*Measure {
	out := make([]*Measure, len(measures))
	for i, m := range measures {
		out[i] = &Measure{Name: m.Name, Fact: m.Fact, Aggregate: aggregateCount, Where: m.Where}
	}
	return out
}

// ordered is the order of the rows: by columns as asked for, and where those are alike by the dimensions, so that the same
// question over the same data has the same order. Subtotals follow what they sum up.
func (p *plan) ordered() []string {
	var out []string
	if len(p.order) > 0 {
		out = append(out, "bitCount(r.g)", "r.o")
		for _, by := range p.order {
			direction := ""
			if by.descending {
				direction = " DESC"
			}
			out = append(out, p.orderColumn(by.name)+direction+" NULLS LAST")
		}
	}
	if p.grain != 0 {
		out = append(out, "r.t")
	}
	for i := range p.dimensions {
		out = append(out, fmt.Sprintf("bitTest(r.g, %d)", len(p.dimensions)-1-i))
		if p.dimensions[i] == p.top {
			out = append(out, "r.o")
		}
		out = append(out, p.labelled(i), fmt.Sprintf("r.k%d", i))
	}
	return append(out, "r.g")
}

func (p *plan) orderColumn(name string) string {
	if p.grain != 0 && name == grainName(p.grain) {
		return "r.t"
	}
	for i, d := range p.dimensions {
		if d.Name == name {
			return p.labelled(i)
		}
	}
	values := p.values()
	i := slices.IndexFunc(values, func(v value) bool { return v.name == name })
	if p.pivot != nil {
		i += len(values) * p.pivotCount
	}
	return fmt.Sprintf("r.v%d", i)
}
