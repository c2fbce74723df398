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
	selected := aliased(p.keyNames("r.", "g"))
	if p.pivot != nil {
		selected = append(selected, "r.p AS p")
	}
	for i, v := range p.values() {
		selected = append(selected, fmt.Sprintf("%s AS v%d", p.number(v), i))
	}
	return fmt.Sprintf("SELECT %s FROM (%s) AS r", strings.Join(selected, ", "), p.cells(b))
}

// number is one column of the answer.
func (p *plan) number(v value) string {
	column := func(of side) func(*Measure) string {
		return func(m *Measure) string { return fmt.Sprintf("r.%s%d", of.letter(), slices.Index(p.base, m)) }
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
			keys = append(keys, fmt.Sprintf("r.k%d", i))
		}
		return fmt.Sprintf("sum(%s) OVER (PARTITION BY %s ORDER BY r.t ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)",
			now, strings.Join(append(keys, "r.o"), ", "))
	case valueShare:
		by := ""
		if p.grain != 0 {
			by = "PARTITION BY r.t"
		}
		total := fmt.Sprintf("sumIf(%s, r.g = 0) OVER (%s)", now, by)
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

// Types of columns of the answer; all of them may be empty.
const (
	typeIntegers = "Nullable(Int64)"
	typeFloats   = "Nullable(Float64)"
)

// answerType is the type of a column of the answer.
func answerType(v value) string {
	if v.divided() {
		return typeFloats
	}
	return "Nullable(" + numberType(v.measure) + ")"
}

// statement writes the whole question. Without a pivot the numbers are made where they are selected: ClickHouse plans each
// select for a millisecond or two.
func (p *plan) statement(b *binder, limit int) string {
	order := strings.Join(p.ordered(), ", ")
	selected := []string{"r.o AS o", "r.g AS g"}
	if p.grain != 0 {
		selected = append(selected, "r.t AS t")
	}
	for i := range p.dimensions {
		selected = append(selected, fmt.Sprintf("toString(r.k%d) AS k%d", i, i), fmt.Sprintf("%s AS n%d", p.labelled(i), i))
	}
	for i, v := range p.values() {
		number := fmt.Sprintf("r.v%d", i)
		if p.pivot == nil {
			number = p.number(v)
		}
		selected = append(selected, fmt.Sprintf("CAST(%s, '%s') AS v%d", number, answerType(v), i))
	}
	var source string
	if p.pivot != nil {
		selected = append(selected, p.gathered()...)
		source, order = p.pivoted(p.numbers(b), order), "r.place__"
	} else {
		source = p.cells(b)
	}
	return fmt.Sprintf("SELECT %s FROM (%s) AS r ORDER BY %s LIMIT %s", strings.Join(selected, ", "), source, order, b.bind("UInt64", limit))
}

// labelled is the title of a dimension's value.
func (p *plan) labelled(i int) string {
	key := fmt.Sprintf("r.k%d", i)
	if label := p.catalogue.label(p.dimensions[i], key); label != "" {
		return label
	}
	return "toString(" + key + ")"
}

// pivoted gathers what a row has by the pivot's values in cells__; its v0… are those over all of them. The facts are read once for
// rows and columns: all values that become columns are members__ of every row, and place__ is the row's place in the answer.
func (p *plan) pivoted(source, order string) string {
	names := []string{"v.o"}
	if p.grain != 0 {
		names = append(names, "v.t")
	}
	for i := range p.dimensions {
		names = append(names, fmt.Sprintf("v.k%d", i))
	}
	key := fmt.Sprintf("v.k%d", len(p.dimensions))
	cell, selected := []string{key}, append(aliased(names), "bitShiftRight(v.g, 1) AS g")
	for i := range p.values() {
		cell = append(cell, fmt.Sprintf("v.v%d", i))
		selected = append(selected, fmt.Sprintf("anyIf(v.v%[1]d, bitAnd(v.g, 1) = 1) AS v%[1]d", i))
	}
	selected = append(selected,
		fmt.Sprintf("groupArrayIf((%s), bitAnd(v.g, 1) = 0) AS cells__", strings.Join(cell, ", ")),
		fmt.Sprintf("groupArrayIf(%s, bitAnd(v.g, 1) = 0 AND v.p = 1) AS shown__", key))
	gathered := fmt.Sprintf("SELECT %s FROM (%s) AS v GROUP BY %s, g", strings.Join(selected, ", "), source, strings.Join(names, ", "))
	return fmt.Sprintf("SELECT r.*, row_number() OVER (ORDER BY %s) AS place__, groupUniqArrayArray(%d)(r.shown__) OVER () AS members__ FROM (%s) AS r",
		order, pivotValuesMax+1, gathered)
}

// gathered are the columns of a row by the pivot's values, and in the first row those values in order, with their titles.
func (p *plan) gathered() []string {
	selected := []string{"arrayMap(z -> toString(z), tupleElement(r.cells__, 1)) AS keys__"}
	for i, v := range p.values() {
		selected = append(selected, fmt.Sprintf("CAST(tupleElement(r.cells__, %d), 'Array(%s)') AS c%d", i+2, answerType(v), i))
	}
	label := p.catalogue.label(p.pivot, "z")
	if label == "" {
		label = "toString(z)"
	}
	sorted := fmt.Sprintf("arraySort(z -> (%s, z), if(r.place__ = 1, r.members__, []))", label)
	return append(selected, "arrayMap(z -> toString(z), "+sorted+") AS pivot__", "arrayMap(z -> "+label+", "+sorted+") AS titles__")
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
	column := fmt.Sprintf("v%d", slices.IndexFunc(p.values(), func(v value) bool { return v.name == name }))
	if p.pivot != nil {
		return "r." + column
	}
	return column
}
