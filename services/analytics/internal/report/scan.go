package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
)

// binder keeps the values of a statement; each stands in it as a typed parameter.
type binder struct {
	names  map[string]bool
	values []any
	next   int
}

func newBinder() *binder { return &binder{names: map[string]bool{}} }

// bind keeps a value and returns the SQL that stands for it.
func (b *binder) bind(kind string, value any) string {
	b.next++
	name := "p" + strconv.Itoa(b.next)
	b.set(name, value)
	return "{" + name + ":" + kind + "}"
}

func (b *binder) set(name string, value any) {
	if !b.names[name] {
		b.names[name] = true
		b.values = append(b.values, clickhouse.Named(name, value))
	}
}

// columnTypes are the types of dimensions in parameters.
var columnTypes = map[string]string{typeID: "UInt64", typeText: "String", typeInteger: "Int64"}

// startFunctions name the first day of a cut.
var startFunctions = map[definitionv1.TimeGrain]string{
	definitionv1.TimeGrain_TIME_GRAIN_YEAR: "toStartOfYear", definitionv1.TimeGrain_TIME_GRAIN_QUARTER: "toStartOfQuarter",
	definitionv1.TimeGrain_TIME_GRAIN_MONTH: "toStartOfMonth", definitionv1.TimeGrain_TIME_GRAIN_WEEK: "toMonday",
}

func startSQL(g definitionv1.TimeGrain, day string) string {
	if function := startFunctions[g]; function != "" {
		day = function + "(" + day + ")"
	}
	return "toDate32(" + day + ")"
}

// scan reads one fact for one side of a comparison.
type scan struct {
	*binder
	plan *plan
	fact *Fact
	side side
	// measures of the fact.
	measures []*Measure
	// shared is the name of what was read of the fact's view for several scans; empty when the scan reads the view itself.
	shared string
}

// view is what the scan reads.
func (s *scan) view() string {
	if s.shared != "" {
		return s.shared
	}
	return s.fact.View
}

// side is which periods a scan reads.
type side int

const (
	sideNow side = iota
	sideEarlier
	sideBoth
)

// letter begins the names of a side's columns.
func (s side) letter() string {
	if s == sideEarlier {
		return "e"
	}
	return "b"
}

func (s *scan) cuts() []cut {
	if s.side == sideEarlier {
		return s.plan.earlier
	}
	return s.plan.cuts
}

// span is what the cuts of the side lie in.
func (s *scan) span() span {
	cuts := s.cuts()
	out := span{cuts[0].from, cuts[len(cuts)-1].to}
	if s.side == sideBoth {
		out.from = s.plan.earlier[0].from
	}
	return out
}

// within is the condition that a row of a scan of both sides is on one of them; empty in other scans.
func (s *scan) within(of side) string {
	switch {
	case s.side != sideBoth:
		return ""
	case of == sideEarlier:
		return s.fact.Day + " <= " + s.date(s.plan.earlier[0].to)
	default:
		return s.fact.Day + " >= " + s.date(s.plan.cuts[0].from)
	}
}

// date binds a day in the type of the fact's own days, so that conditions reach sort key and partitions.
func (s *scan) date(t time.Time) string {
	if epoch := time.Unix(0, 0).UTC(); s.fact.DayType == "Date" && t.Before(epoch) {
		t = epoch
	}
	return s.bind(s.fact.DayType, t.Format(time.DateOnly))
}

// ends binds the names of the cuts with their last days, as an array of pairs.
func (s *scan) ends() string {
	names, days := s.bounds()
	return "arrayZip(" + names + ", " + days + ")"
}

// bounds binds the names of the cuts and their last days, as two arrays in order.
func (s *scan) bounds() (cutNames, lastDays string) {
	var names, days []string
	for _, c := range s.cuts() {
		if name := c.name.Format(time.DateOnly); !slices.Contains(names, name) {
			names, days = append(names, name), append(days, c.to.Format(time.DateOnly))
		}
	}
	return s.bind("Array(Date32)", names), s.bind("Array(Date32)", days)
}

// rows are the rows of a fact that count, before they are summed up.
type rows struct {
	// from is what stands behind FROM; its columns go by f.
	from string
	// cut is the first day of the cut that a row counts in; empty without a grain, and where a row counts in several.
	cut string
	// over and until tell the cuts that a row counts in: its first one and the one after its last. held are those cuts, once the two
	// are columns of a table h.
	over, until, held string
	where             []string
}

// rows finds the rows of the scan. used are all expressions that will be asked of them.
func (s *scan) rows(used []string) rows {
	var out rows
	switch s.fact.Over {
	case overFlow:
		out = s.flow()
	case overLast:
		out = s.last(used)
	case overSnapshot:
		out = s.snapshot()
	default:
		out = s.interval()
	}
	if s.fact.Where != "" {
		out.where = append(out.where, s.fact.Where)
	}
	if out.where = append(out.where, s.conditions()...); len(out.where) == 0 {
		out.where = []string{"true"}
	}
	return out
}

func (s *scan) flow() rows {
	span, day := s.span(), s.fact.Day
	out := rows{from: s.view() + " AS f", where: []string{day + " <= " + s.date(span.to)}}
	if !span.from.IsZero() {
		out.where = append(out.where, day+" >= "+s.date(span.from))
	}
	if s.plan.grain != 0 {
		out.cut = startSQL(s.plan.grain, day)
	}
	if s.side == sideBoth {
		out.where = append(out.where, "("+s.within(sideEarlier)+" OR "+s.within(sideNow)+")")
	}
	return out
}

// last keeps the last row of each entity, in each cut; a cut without a row has that of the cut before. What a row says beside the
// columns of the source is found for rows that are kept, and not for all.
func (s *scan) last(used []string) rows {
	source, entity := s.fact.Source, strings.TrimPrefix(s.fact.Entity, "f.")
	day := strings.TrimPrefix(s.fact.Day, "f.")
	picked := []string{entity, fmt.Sprintf("max(%[1]s) AS %[1]s", day)}
	for _, c := range source.Values {
		picked = append(picked, fmt.Sprintf("argMax(%[1]s, %[2]s) AS %[1]s", c, source.Order))
	}
	group := []string{entity}
	if s.plan.grain != 0 {
		first := s.bind("Date32", s.cuts()[0].name.Format(time.DateOnly))
		picked = append(picked, fmt.Sprintf("greatest(%s, %s) AS cut__", startSQL(s.plan.grain, "s."+day), first))
		group = append(group, "cut__")
	}
	from := fmt.Sprintf("SELECT %s FROM %s AS s WHERE s.%s <= %s GROUP BY %s",
		strings.Join(picked, ", "), source.Table, day, s.date(s.span().to), strings.Join(group, ", "))
	selected := source.columns(columns(used))
	if s.plan.grain == 0 {
		return rows{from: fmt.Sprintf("(SELECT %s FROM (%s) AS e) AS f", strings.Join(selected, ", "), from)}
	}
	// A row holds from its cut until the entity's next one. Rows with the same two are summed up before they are repeated.
	following := "PARTITION BY " + entity + " ORDER BY cut__ ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING"
	selected = append(selected, "cut__", "leadInFrame(cut__, 1, toDate32('2299-12-31')) OVER ("+following+") AS next__")
	names, _ := s.bounds()
	return rows{
		from: fmt.Sprintf("(SELECT %s FROM (%s) AS e) AS f", strings.Join(selected, ", "), from),
		over: "f.cut__", until: "f.next__",
		held: fmt.Sprintf("arrayFilter(z -> z >= h.over__ AND z < h.until__, %s)", names),
	}
}

// snapshot keeps the rows of the last picture, in each cut.
func (s *scan) snapshot() rows {
	until := s.date(s.span().to)
	if s.plan.grain == 0 {
		newest := fmt.Sprintf("(SELECT max(d.day) FROM %s AS d WHERE d.day <= %s)", s.fact.Pictures, until)
		return rows{from: s.view() + " AS f", where: []string{s.fact.Day + " = " + newest}}
	}
	from := fmt.Sprintf("%s AS d ARRAY JOIN %s AS z__", s.fact.Pictures, s.ends())
	newest := fmt.Sprintf("SELECT z__.1 AS cut__, max(d.day) AS day FROM %s WHERE d.day <= z__.2 AND d.day <= %s GROUP BY cut__", from, until)
	return rows{from: fmt.Sprintf("%s AS f INNER JOIN (%s) AS pictures ON pictures.day = %s", s.view(), newest, s.fact.Day), cut: "pictures.cut__"}
}

// interval keeps the rows that are true at the end, of each cut.
func (s *scan) interval() rows {
	if s.plan.grain == 0 {
		at := s.date(s.span().to)
		return rows{from: s.view() + " AS f", where: []string{
			fmt.Sprintf("%s <= %s", s.fact.Day, at), fmt.Sprintf("(%[1]s IS NULL OR %[1]s > %[2]s)", s.fact.Until, at),
		}}
	}
	// The cuts that a row is true in follow each other: from the first that ends on its day or later, to the last that ends before
	// it is over. Counting both is several times as fast as asking of each cut, and rows are grouped by small numbers faster.
	names, days := s.bounds()
	return rows{
		from:  s.view() + " AS f",
		over:  fmt.Sprintf("toUInt16(arrayCount(z -> z < assumeNotNull(%s), %s))", s.fact.Day, days),
		until: fmt.Sprintf("toUInt16(if(%[1]s IS NULL, length(%[2]s), arrayCount(z -> z < assumeNotNull(%[1]s), %[2]s)))", s.fact.Until, days),
		held:  fmt.Sprintf("arraySlice(%s, h.over__ + 1, greatest(0, toInt64(h.until__) - h.over__))", names),
		where: []string{fmt.Sprintf("%s <= %s", s.fact.Day, s.date(s.span().to))},
	}
}

// column is a dimension of a fact as an expression, with the join that it needs, if it needs one.
func (c *Catalogue) column(f *Fact, d *Dimension) (expression, join string) {
	if column := f.Columns[d.Name]; column != "" {
		return column, ""
	}
	lookup := c.lookup(d.Lookup)
	if direct := lookup.direct(d.Column, f.Lookups[d.Lookup]); direct != "" {
		return direct, ""
	}
	return lookup.Name + "." + d.Column, fmt.Sprintf(" LEFT ANY JOIN %s AS %s ON %s.%s = %s",
		lookup.Table, lookup.Name, lookup.Name, lookup.Key, f.Lookups[d.Lookup])
}

// foundBy is the column of a fact by which a dimension is looked up without a join; empty where it is its own column, or joined.
func (c *Catalogue) foundBy(f *Fact, d *Dimension) string {
	if f.Columns[d.Name] != "" || c.lookup(d.Lookup).Direct[d.Column] == "" {
		return ""
	}
	return f.Lookups[d.Lookup]
}

// value is what a measure sums up or tells apart, in the currency of the report.
func (s *scan) value(m *Measure) string {
	if s.plan.query.GetCurrency() != "" && m.Stated != "" {
		return m.Stated
	}
	return m.Value
}

// measureSQL are all expressions of the measures.
func (s *scan) measureSQL() []string {
	var out []string
	for _, m := range s.measures {
		out = append(out, s.value(m), m.Where)
	}
	return out
}

// columns are the names of the fact's columns in some expressions, each once.
func columns(expressions []string) []string {
	var out []string
	for _, e := range expressions {
		for _, found := range columnPattern.FindAllStringSubmatch(e, -1) {
			if !slices.Contains(out, found[1]) {
				out = append(out, found[1])
			}
		}
	}
	slices.Sort(out)
	return out
}

// numberType is the type of a measure's values.
func numberType(m *Measure) string {
	switch {
	case m.Aggregate != aggregateSum:
		return "Int64"
	case m.Unit == unitMoney:
		return "Decimal(38, 4)"
	default:
		return "Float64"
	}
}

// distinct is the function that tells different ones apart. What holds from cut to cut is put together again for each of them, and
// for each subtotal: in bitmaps, as different ones are told by their numbers, that takes a fifth of the time of tables of numbers.
// What happens once is put together once, mostly from small groups, of which bitmaps take longer to make.
func (s *scan) distinct() string {
	if s.plan.grain != 0 && (s.fact.Over == overLast || s.fact.Over == overInterval) {
		return "groupBitmap"
	}
	return "uniqExact"
}

// aggregate sums a measure up on a side. With state, what tells different ones apart is kept, so that it can be put together again.
func (s *scan) aggregate(m *Measure, of side, state bool) string {
	suffix, where := "", m.Where
	if within := s.within(of); within != "" && where != "" {
		where = within + " AND (" + where + ")"
	} else if within != "" {
		where = within
	}
	if where != "" {
		suffix = "If"
	}
	arguments := func(value string) string {
		if where == "" {
			return "(" + value + ")"
		}
		if value == "" {
			return "(" + where + ")"
		}
		return "(" + value + ", " + where + ")"
	}
	value := s.value(m)
	switch {
	case m.Aggregate == aggregateCount:
		return "toInt64(count" + suffix + arguments("") + ")"
	case m.Aggregate == aggregateDistinct && state:
		return s.distinct() + "State" + suffix + arguments(value)
	case m.Aggregate == aggregateDistinct:
		return "toInt64(uniqExact" + suffix + arguments(value) + ")"
	case m.Unit == unitMoney:
		return "sum" + suffix + arguments("ifNull("+value+", 0)")
	default:
		return "sum" + suffix + arguments("toFloat64(ifNull("+value+", 0))")
	}
}
