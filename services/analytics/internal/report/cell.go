package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
)

// Columns of the statement under the answer: t the cut, o 1 for what is left beside the greatest, k0… the keys, g which of them
// are summed up (a bit each, the first key's the highest), b0… the measures from facts, e0… the same in the earlier period; with a
// pivot p, 1 when its value becomes a column.

// cells sums up each fact on its own and puts the sums of one combination of keys side by side.
func (p *plan) cells(b *binder) string {
	scans := p.scans(b)
	with := share(scans)
	parts := make([]string, len(scans))
	for i, s := range scans {
		parts[i] = s.sums()
	}
	if len(parts) == 1 {
		return parts[0]
	}
	names := append(p.keyNames("u."), "u.g")
	selected := p.keyNames("u.", "g")
	for _, c := range p.baseNames() {
		selected = append(selected, "sum(u."+c+") AS "+c)
	}
	if p.pivot != nil {
		selected = append(selected, "max(u.p) AS p")
	}
	return fmt.Sprintf("%sSELECT %s FROM (%s) AS u GROUP BY %s",
		with, strings.Join(aliased(selected), ", "), strings.Join(parts, " UNION ALL "), strings.Join(names, ", "))
}

// scans are those that the measures of the plan need.
func (p *plan) scans(b *binder) []*scan {
	var out []*scan
	for _, fact := range p.facts() {
		for _, side := range p.sides(fact) {
			out = append(out, &scan{binder: b, plan: p, fact: fact, side: side, measures: p.of(fact)})
		}
	}
	return out
}

// share lets scans of one view read it together, where one of them asks for all its rows anyway: of an interval, no period
// leaves out rows before they are read. It returns what stands before the statement.
func share(scans []*scan) string {
	var with []string
	for i, whole := range scans {
		if whole.fact.Over != overInterval || whole.shared != "" {
			continue
		}
		var used []string
		name := fmt.Sprintf("view%d__", i)
		together := slices.DeleteFunc(slices.Clone(scans), func(s *scan) bool { return s.fact.View != whole.fact.View })
		if len(together) == 1 {
			continue
		}
		for _, s := range together {
			s.shared = name
			used = append(used, s.used()...)
		}
		with = append(with, fmt.Sprintf("%s AS MATERIALIZED (SELECT %s FROM %s)", name, strings.Join(columns(used), ", "), whole.fact.View))
	}
	if len(with) == 0 {
		return ""
	}
	return "WITH " + strings.Join(with, ", ") + " "
}

// sides are the scans that a fact needs.
func (p *plan) sides(f *Fact) []side {
	switch {
	case !p.compared():
		return []side{sideNow}
	case p.grain == 0 && f.Over == overFlow && p.earlier[0].to.Before(p.cuts[0].from):
		// Two spans that have no day in common: each row belongs to one of them, or to none.
		return []side{sideBoth}
	default:
		return []side{sideNow, sideEarlier}
	}
}

// aliased gives plain columns of a table their own name again.
func aliased(selected []string) []string {
	out := make([]string, len(selected))
	for i, s := range selected {
		out[i] = s
		if !strings.Contains(s, " ") && strings.Contains(s, ".") {
			out[i] = s + " AS " + s[strings.Index(s, ".")+1:]
		}
	}
	return out
}

// facts are those of the measures, each once.
func (p *plan) facts() []*Fact {
	var out []*Fact
	for _, m := range p.base {
		if f := p.catalogue.Fact(m.Fact); !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	return out
}

// of are the measures of a fact.
func (p *plan) of(f *Fact) []*Measure {
	return slices.DeleteFunc(slices.Clone(p.base), func(m *Measure) bool { return m.Fact != f.Name })
}

// keyNames are the columns that tell rows apart, behind a prefix.
func (p *plan) keyNames(prefix string, more ...string) []string {
	var out []string
	if p.grain != 0 {
		out = append(out, prefix+"t")
	}
	out = append(out, prefix+"o")
	for i := range p.keys() {
		out = append(out, fmt.Sprintf("%sk%d", prefix, i))
	}
	for _, name := range more {
		out = append(out, prefix+name)
	}
	return out
}

// baseNames are the columns of the measures from facts, of now and of earlier.
func (p *plan) baseNames() []string {
	var out []string
	for i := range p.base {
		out = append(out, fmt.Sprintf("b%d", i))
		if p.compared() {
			out = append(out, fmt.Sprintf("e%d", i))
		}
	}
	return out
}

// sums is one scan, grouped by the keys and by what subtotals need.
func (s *scan) sums() string {
	p := s.plan
	second := len(p.sets()) > 1 || p.top != nil || s.side == sideEarlier && p.grain != 0
	fine := s.fine(second)
	if !second {
		return fine
	}
	return s.coarse(s.placed(fine))
}

// fine groups the rows of the fact by the keys as they are.
func (s *scan) fine(state bool) string {
	p := s.plan
	var joins, group, selected []string
	for i, d := range p.keys() {
		expression, join := p.catalogue.column(s.fact, d)
		if join != "" && !slices.Contains(joins, join) {
			joins = append(joins, join)
		}
		if !s.follows(d) {
			group = append(group, expression)
		}
		selected = append(selected, fmt.Sprintf("%s AS k%d", keyType(d, expression), i))
	}
	from := s.rows(s.used())
	selected = slices.Insert(selected, 0, "toUInt8(0) AS o")
	switch {
	case from.held != "":
		group = slices.Insert(group, 0, "over__", "until__")
		selected = slices.Insert(selected, 0, from.over+" AS over__", from.until+" AS until__")
	case p.grain != 0:
		group = slices.Insert(group, 0, from.cut)
		selected = slices.Insert(selected, 0, from.cut+" AS t")
	}
	selected = append(selected, "toUInt64(0) AS g")
	if p.pivot != nil && from.held == "" {
		selected = append(selected, s.shown(from.cut))
	}
	sql := fmt.Sprintf("SELECT %s FROM %s%s WHERE %s", strings.Join(append(selected, s.columns(func(m *Measure, of side) string {
		return s.aggregate(m, of, state || from.held != "")
	})...), ", "), from.from, strings.Join(joins, ""), strings.Join(from.where, " AND "))
	if len(group) > 0 {
		sql += " GROUP BY " + strings.Join(group, ", ")
	}
	if from.held != "" {
		return s.spread(sql, from.held, state)
	}
	return sql
}

// follows reports whether another key decides a dimension, as a product its family: then it tells no more groups apart, and is looked
// up for each group and not for each row.
func (s *scan) follows(d *Dimension) bool {
	by := s.plan.catalogue.foundBy(s.fact, d)
	return by != "" && slices.ContainsFunc(s.plan.keys(), func(other *Dimension) bool { return s.fact.Columns[other.Name] == by })
}

// spread gives what was summed up of rows that are true in the same cuts to each of these cuts. There are few such groups and many
// rows: repeating the rows instead takes twice the time. Where more is summed up afterwards, that does it for the cuts, too.
func (s *scan) spread(fine, held string, more bool) string {
	names := s.plan.keyNames("h.", "g")[1:]
	selected := append([]string{"cut__ AS t"}, aliased(names)...)
	if s.plan.pivot != nil {
		selected = append(selected, s.shown("cut__"))
	}
	selected = append(selected, s.columns(func(m *Measure, of side) string {
		column := fmt.Sprintf("h.%s%d", of.letter(), slices.Index(s.plan.base, m))
		switch {
		case more:
			return column
		case m.Aggregate == aggregateDistinct:
			return "toInt64(" + s.distinct() + "Merge(" + column + "))"
		default:
			return "sum(" + column + ")"
		}
	})...)
	sql := fmt.Sprintf("SELECT %s FROM (%s) AS h ARRAY JOIN %s AS cut__", strings.Join(selected, ", "), fine, held)
	if more {
		return sql
	}
	return sql + " GROUP BY cut__, " + strings.Join(names, ", ")
}

// shown tells of a group of rows whether its value of the pivot becomes a column. That is what the period has, and of what holds for
// a moment, what it has at its end.
func (s *scan) shown(cut string) string {
	switch {
	case s.side == sideEarlier:
		return "toUInt8(0) AS p"
	case s.side == sideBoth:
		return "toUInt8(countIf(" + s.within(sideNow) + ") > 0) AS p"
	case s.fact.Over == overFlow || s.plan.grain == 0:
		return "toUInt8(1) AS p"
	default:
		last := s.plan.cuts[len(s.plan.cuts)-1].name.Format(time.DateOnly)
		return fmt.Sprintf("toUInt8(%s = %s) AS p", cut, s.bind("Date32", last))
	}
}

// keyType brings the values of a dimension to one type over all facts.
func keyType(d *Dimension, expression string) string {
	if d.Type == typeText {
		return "toString(" + expression + ")"
	}
	return "to" + columnTypes[d.Type] + "(" + expression + ")"
}

// used are all expressions that are asked of the fact's rows.
func (s *scan) used() []string {
	out := append(s.measureSQL(), s.fact.Day, s.fact.Until, s.fact.Where)
	for _, d := range s.plan.keys() {
		expression, join := s.plan.catalogue.column(s.fact, d)
		out = append(out, expression, join)
	}
	if s.plan.narrowed() {
		out = append(out, s.asked()...)
	}
	return out
}

// asked are the columns of the fact that conditions may ask for.
func (s *scan) asked() []string {
	out := []string{s.fact.Currency}
	for _, column := range s.fact.Columns {
		out = append(out, column)
	}
	for _, column := range s.fact.Lookups {
		out = append(out, column)
	}
	slices.Sort(out)
	return out
}

// columns are those of all measures of the plan; of other facts or the other side they hold zeros.
func (s *scan) columns(own func(*Measure, side) string) []string {
	var out []string
	for i, m := range s.plan.base {
		sides := []side{sideNow}
		if s.plan.compared() {
			sides = append(sides, sideEarlier)
		}
		for _, of := range sides {
			expression := "CAST(0, '" + numberType(m) + "')"
			if m.Fact == s.fact.Name && (of == s.side || s.side == sideBoth) {
				expression = own(m, of)
			}
			out = append(out, fmt.Sprintf("%s AS %s%d", expression, of.letter(), i))
		}
	}
	return out
}

// placed gives rows of an earlier period the name of the cut that they are compared with, and puts what is not among the
// greatest together or leaves it out.
func (s *scan) placed(fine string) string {
	p := s.plan
	if p.top == nil && (s.side != sideEarlier || p.grain == 0) {
		return fine
	}
	from, where := "("+fine+") AS y", ""
	except := []string{"o"}
	extra := []string{"y.o AS o"}
	if s.side == sideEarlier && p.grain != 0 {
		var earlier, now []string
		for i := range p.cuts {
			earlier = append(earlier, p.earlier[i].name.Format(time.DateOnly))
			now = append(now, p.cuts[i].name.Format(time.DateOnly))
		}
		from += fmt.Sprintf(" ARRAY JOIN arrayFilter(z -> z.1 = y.t, arrayZip(%s, %s)) AS z__",
			s.bind("Array(Date32)", earlier), s.bind("Array(Date32)", now))
		except, extra = append(except, "t"), append(extra, "z__.2 AS t")
	}
	if p.top != nil {
		key := fmt.Sprintf("k%d", slices.Index(p.dimensions, p.top))
		from = strings.Replace(from, "("+fine+") AS y", "("+s.marked(fine, key)+") AS y", 1)
		except = append(except, "best__")
		if p.query.GetTop().GetOthers() {
			except = append(except, key)
			extra = append(extra, fmt.Sprintf("if(y.best__, y.%s, defaultValueOfTypeName(toTypeName(y.%s))) AS %s", key, key, key))
			extra[0] = "toUInt8(NOT y.best__) AS o"
		} else {
			where = " WHERE y.best__"
		}
	}
	selected := append([]string{"y.* EXCEPT (" + strings.Join(except, ", ") + ")"}, extra...)
	return fmt.Sprintf("SELECT %s FROM %s%s", strings.Join(selected, ", "), from, where)
}

// marked tells of each row whether its key is among the greatest: best__. Where the rows themselves hold what decides that, the
// fact is read only once.
func (s *scan) marked(fine, key string) string {
	p := s.plan
	if !s.ranksItself() {
		return fmt.Sprintf("SELECT w.*, w.%s IN (%s) AS best__ FROM (%s) AS w", key, p.rank.ranking(s.binder), fine)
	}
	over := " OVER (PARTITION BY w." + key + ")"
	rank := p.measured(p.topMeasure, func(of *Measure) string {
		column := fmt.Sprintf("w.b%d", slices.Index(p.base, of))
		if of.Aggregate == aggregateDistinct {
			return s.distinct() + "Merge(" + column + ")" + over
		}
		return "sum(" + column + ")" + over
	})
	place := fmt.Sprintf("dense_rank() OVER (ORDER BY v.rank__%s NULLS LAST, v.%s)", p.rank.direction(), key)
	return fmt.Sprintf("SELECT v.* EXCEPT (rank__), %s <= %s AS best__ FROM (SELECT w.*, %s AS rank__ FROM (%s) AS w) AS v",
		place, s.bind("UInt32", p.rank.keep), rank, fine)
}

// ranksItself reports whether the rows of the scan add up to the values that ranking compares: all measures come from this
// fact, each row is of the period, and keys without a row that counts are in none of both.
func (s *scan) ranksItself() bool {
	p := s.plan
	return len(p.facts()) == 1 && s.side != sideEarlier && len(p.sides(s.fact)) == 1 && (p.grain == 0 || s.fact.Over == overFlow) &&
		!slices.ContainsFunc(p.catalogue.parts(p.topMeasure), func(m *Measure) bool { return m.Where != "" })
}

// coarse sums up what was placed, for each set of keys.
func (s *scan) coarse(placed string) string {
	p := s.plan
	names := p.keyNames("x.")
	selected := aliased(names)
	if p.top == nil {
		selected[slices.Index(names, "x.o")] = "toUInt8(0) AS o"
	}
	sets := p.sets()
	grouped := "toUInt64(0) AS g"
	by := strings.Join(names, ", ")
	if len(sets) > 1 {
		var keys, groups []string
		for i := range p.keys() {
			keys = append(keys, fmt.Sprintf("x.k%d", i))
		}
		grouped = "toUInt64(grouping(" + strings.Join(keys, ", ") + ")) AS g"
		for _, set := range sets {
			groups = append(groups, "("+strings.Join(p.setNames(set), ", ")+")")
		}
		by = "GROUPING SETS (" + strings.Join(groups, ", ") + ")"
	}
	selected = append(selected, grouped)
	if p.pivot != nil {
		selected = append(selected, "max(x.p) AS p")
	}
	selected = append(selected, s.columns(func(m *Measure, of side) string {
		column := fmt.Sprintf("x.%s%d", of.letter(), slices.Index(p.base, m))
		if m.Aggregate == aggregateDistinct {
			return "toInt64(" + s.distinct() + "Merge(" + column + "))"
		}
		return "sum(" + column + ")"
	})...)
	return fmt.Sprintf("SELECT %s FROM (%s) AS x GROUP BY %s", strings.Join(selected, ", "), placed, by)
}

// sets are the combinations of keys that rows are made for, the finest first: indexes into keys.
func (p *plan) sets() [][]int {
	all := make([]int, len(p.dimensions))
	for i := range all {
		all[i] = i
	}
	sets := [][]int{all}
	switch p.query.GetSubtotals() {
	case definitionv1.Subtotals_SUBTOTALS_TOTAL:
		sets = append(sets, nil)
	case definitionv1.Subtotals_SUBTOTALS_ROLLUP:
		for n := range slices.Backward(all) {
			sets = append(sets, all[:n])
		}
	case definitionv1.Subtotals_SUBTOTALS_CUBE:
		for mask := 1; mask < 1<<len(all); mask++ {
			sets = append(sets, slices.DeleteFunc(slices.Clone(all), func(i int) bool { return mask&(1<<i) != 0 }))
		}
	}
	if len(all) == 0 {
		sets = sets[:1]
	}
	if p.pivot == nil {
		return sets
	}
	var both [][]int
	for _, set := range sets {
		both = append(both, append(slices.Clone(set), len(p.dimensions)), set)
	}
	return both
}

// setNames are the columns of a set.
func (p *plan) setNames(set []int) []string {
	var out []string
	if p.grain != 0 {
		out = append(out, "x.t")
	}
	for _, i := range set {
		out = append(out, fmt.Sprintf("x.k%d", i))
		if p.top != nil && i == slices.Index(p.dimensions, p.top) {
			out = append(out, "x.o")
		}
	}
	return out
}
