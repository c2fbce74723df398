package report

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/shopspring/decimal"

	"tandem.bank/pkg/date"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/warehousetest"
)

// numberOf is a cell as a decimal; nil when it is empty.
func numberOf(c *analyticsv1.ReportCell) *decimal.Decimal {
	var v decimal.Decimal
	switch of := c.GetValue().(type) {
	case *analyticsv1.ReportCell_Integer:
		v = decimal.New(of.Integer, 0)
	case *analyticsv1.ReportCell_Decimal:
		v = decimal.RequireFromString(of.Decimal)
	case *analyticsv1.ReportCell_Number:
		v = decimal.NewFromFloat(of.Number)
	default:
		return nil
	}
	return &v
}

// same compares to eight places of a fraction; money is exact.
func same(a, b *decimal.Decimal) bool {
	if a == nil || b == nil {
		return a == b
	}
	scale := decimal.Max(a.Abs(), decimal.New(1, 0))
	return a.Sub(*b).Abs().Div(scale).LessThan(decimal.New(1, -8))
}

// question is a random question of the generator with what the model needs of it.
type question struct {
	*definitionv1.ReportQuery
	keep func(map[string]string) bool
}

var modelDimensions = []string{"region", "branch", "manager", "customer", "sex", "product", "family", "account", "currency", "transaction_kind", "direction", "channel", "contract_kind"}

// draw makes a question that the catalogue allows.
func draw(r *rand.Rand, c *Catalogue, m *model) question {
	var names []string
	for name := range m.measures {
		names = append(names, name)
	}
	slices.Sort(names)
	r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	q := &definitionv1.ReportQuery{Measures: names[:1+r.IntN(4)], AsOf: date.Proto(warehousetest.Day("2024-05-17"))}
	dimensions := slices.DeleteFunc(slices.Clone(modelDimensions), func(name string) bool {
		return slices.ContainsFunc(q.Measures, func(m string) bool { return !slices.Contains(c.dimensionsOf(c.Measure(m)), name) })
	})
	r.Shuffle(len(dimensions), func(i, j int) { dimensions[i], dimensions[j] = dimensions[j], dimensions[i] })
	q.Dimensions = dimensions[:min(r.IntN(4), len(dimensions))]
	q.Grain = definitionv1.TimeGrain(r.IntN(5))
	q.Subtotals = definitionv1.Subtotals(r.IntN(4))
	switch r.IntN(4) {
	case 0:
		q.Period = &definitionv1.ReportPeriod{Kind: &definitionv1.ReportPeriod_Last{Last: &definitionv1.LastPeriods{Count: 1 + r.Int32N(4), Unit: definitionv1.TimeGrain(1 + r.IntN(4)), Complete: r.IntN(2) == 0}}}
	case 1:
		q.Period = dayRange(span{warehousetest.Day("2023-01-01").AddDate(0, 0, r.IntN(300)), warehousetest.Day("2023-12-31").AddDate(0, 0, r.IntN(130))})
	case 2:
		q.Period = &definitionv1.ReportPeriod{Kind: &definitionv1.ReportPeriod_ToDate{ToDate: definitionv1.TimeGrain(1 + r.IntN(3))}}
	}
	if q.Period != nil {
		q.Comparison = definitionv1.Comparison(r.IntN(3))
	}
	if left := dimensions[len(q.Dimensions):]; len(left) > 0 && left[0] != "customer" && left[0] != "account" && r.IntN(4) == 0 {
		q.Pivot = left[0]
	}
	if len(q.Dimensions) > 0 && r.IntN(3) == 0 {
		q.Top = &definitionv1.TopN{Count: 1 + r.Int32N(4), Measure: q.Measures[0], Dimension: q.Dimensions[r.IntN(len(q.Dimensions))], Others: r.IntN(2) == 0, Smallest: r.IntN(2) == 0}
	}
	shared := func(name string) bool { return c.Measure(name).shared() }
	additive := func(name string) bool { return shared(name) && c.Fact(c.Measure(name).Fact).Over == overFlow }
	q.RunningTotal = q.Grain != 0 && q.Pivot == "" && q.Subtotals == 0 && r.IntN(2) == 0 && slices.ContainsFunc(q.Measures, additive)
	q.ShareOfTotal = r.IntN(3) == 0 && slices.ContainsFunc(q.Measures, shared)
	keep := func(map[string]string) bool { return true }
	if r.IntN(3) == 0 && slices.Contains(dimensions, "branch") {
		q.Filter = `branch_id = 2 OR sex = "male"`
		keep = func(d map[string]string) bool { return d["branch"] == "2" || d["sex"] == "male" }
	}
	return question{q, keep}
}

// questions are how many are asked.
const questions = 16

// Random questions give the numbers that Go computes from the same rows: every cell, no row too many, none missing.
func TestNumbers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 7)
	m := newModel(w)
	r := rand.New(rand.NewPCG(11, 12))
	for range questions {
		q := draw(r, w.service.catalogue, m)
		t.Run("", func(t *testing.T) {
			t.Log(q.ReportQuery)
			checkAnswer(t, w, m, q, w.ask(t, q.ReportQuery))
		})
	}
}

// checker compares an answer with the model.
type checker struct {
	*model
	q    question
	plan *plan
	best []string
}

func checkAnswer(t *testing.T, w *world, m *model, q question, a *answer) {
	t.Helper()
	p, err := w.service.prepare(q.ReportQuery, Scope{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.service.begin(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	k := &checker{model: m, q: q, plan: p}
	k.rank()
	fine := 0
	for _, row := range a.rows {
		if !row.GetSubtotal() {
			fine++
		}
		k.row(t, a.header, row)
	}
	if p.pivot != nil {
		k.columns(t, a.header)
	}
	if p.grain == 0 && p.pivot == nil && p.top == nil && !p.compared() {
		if want := len(m.combinations(q.Measures, p.period, q.keep, names(p.dimensions))); fine != want && len(p.dimensions) > 0 {
			t.Errorf("%d rows, want %d", fine, want)
		}
	}
}

func names(of []*Dimension) []string {
	var out []string
	for _, d := range of {
		out = append(out, d.Name)
	}
	return out
}

// columns checks which values of the pivot have columns: those that the period has.
func (k *checker) columns(t *testing.T, header *analyticsv1.ReportHeader) {
	t.Helper()
	var got []string
	for _, column := range header.GetColumns() {
		if column.GetPivot() == "" {
			continue
		}
		if key := fmt.Sprint([]string{k.pivotKey(column.GetPivot())}); !slices.Contains(got, key) {
			got = append(got, key)
		}
	}
	slices.Sort(got)
	if want := k.combinations(k.q.Measures, k.plan.period, k.stays, []string{k.plan.pivot.Name}); !slices.Equal(got, want) {
		t.Errorf("the pivot has columns of %v, want %v", got, want)
	}
}

// stays reports whether rows are left in by the filter and by a top N without others.
func (k *checker) stays(d map[string]string) bool {
	return k.q.keep(d) && (k.plan.top == nil || k.q.Top.GetOthers() || slices.Contains(k.best, d[k.plan.top.Name]))
}

// rank finds the values that stay in a top N.
func (k *checker) rank() {
	if k.plan.top == nil {
		return
	}
	type entry struct {
		key   string
		value *decimal.Decimal
	}
	var all []entry
	for _, key := range k.combinations([]string{k.plan.topMeasure.Name}, k.plan.period, k.q.keep, []string{k.plan.top.Name}) {
		key = key[1 : len(key)-1]
		all = append(all, entry{key, k.value(k.plan.topMeasure.Name, k.plan.period, func(d map[string]string) bool {
			return k.q.keep(d) && d[k.plan.top.Name] == key
		})})
	}
	slices.SortFunc(all, func(a, b entry) int {
		switch {
		case a.value == nil || b.value == nil:
			if a.value == nil && b.value != nil {
				return 1
			}
			if b.value == nil && a.value != nil {
				return -1
			}
		case !a.value.Equal(*b.value):
			if k.plan.rank.smallest {
				return a.value.Cmp(*b.value)
			}
			return b.value.Cmp(*a.value)
		}
		return compareKeys(a.key, b.key)
	})
	for _, e := range all[:min(len(all), int(k.plan.rank.keep))] {
		k.best = append(k.best, e.key)
	}
}

func compareKeys(a, b string) int {
	var x, y int
	if _, err := fmt.Sscan(a, &x); err == nil {
		if _, err := fmt.Sscan(b, &y); err == nil {
			return x - y
		}
	}
	if a < b {
		return -1
	}
	return 1
}

// condition is what a row says about the dimensions.
func (k *checker) condition(row *analyticsv1.ReportRow, offset int, pivot *string) func(map[string]string) bool {
	return func(d map[string]string) bool {
		if !k.q.keep(d) || pivot != nil && d[k.plan.pivot.Name] != *pivot {
			return false
		}
		for i, dimension := range k.plan.dimensions {
			cell := row.GetCells()[offset+i]
			within := slices.Contains(k.best, d[dimension.Name])
			switch cell.GetMember() {
			case analyticsv1.CellMember_CELL_MEMBER_ALL:
				if dimension == k.plan.top && !k.q.Top.GetOthers() && !within {
					return false
				}
			case analyticsv1.CellMember_CELL_MEMBER_OTHERS:
				if within {
					return false
				}
			default:
				if d[dimension.Name] != cell.GetKey() {
					return false
				}
			}
		}
		return true
	}
}

// row checks every cell of a row.
func (k *checker) row(t *testing.T, header *analyticsv1.ReportHeader, row *analyticsv1.ReportRow) {
	t.Helper()
	offset, i := 0, 0
	if k.plan.grain != 0 {
		offset = 1
		first, _ := date.Time(row.GetCells()[0].GetDay())
		i = slices.IndexFunc(k.plan.cuts, func(c cut) bool { return c.name.Equal(first) })
		if k.plan.period.from.IsZero() && i < 0 {
			to := end(k.plan.grain, first)
			if to.After(k.plan.period.to) {
				to = k.plan.period.to
			}
			k.plan.cuts = append(k.plan.cuts, cut{first, span{first, to}})
			i = len(k.plan.cuts) - 1
		}
		if i < 0 {
			t.Fatalf("no cut %v", first)
		}
	}
	now, earlier := k.plan.cuts[i].span, span{}
	if k.plan.compared() {
		earlier = k.plan.earlier[i].span
	}
	for j := offset + len(k.plan.dimensions); j < len(row.GetCells()); j++ {
		column := header.GetColumns()[j]
		var pivot *string
		if column.GetPivot() != "" {
			key := k.pivotKey(column.GetPivot())
			pivot = &key
		}
		keep := k.condition(row, offset, pivot)
		want := k.want(column, now, earlier, keep)
		got := numberOf(row.GetCells()[j])
		if got == nil && pivot != nil && want != nil && want.IsZero() {
			continue // there are no rows of this value here
		}
		if !same(got, want) {
			t.Fatalf("%s: %v, want %v, in %v", column.GetName(), got, want, row.GetCells()[:offset+len(k.plan.dimensions)])
		}
	}
}

// pivotKey finds the value behind a title.
func (k *checker) pivotKey(title string) string {
	if title == "(none)" {
		return ""
	}
	var n int
	if k.plan.pivot.Name == "branch" {
		_, _ = fmt.Sscanf(title, "Branch %d", &n)
		return fmt.Sprint(9 - n)
	}
	for _, form := range []string{"Region %d", "Product %d", "manager %d"} {
		if _, err := fmt.Sscanf(title, form, &n); err == nil {
			return fmt.Sprint(n)
		}
	}
	return title
}

// want is what a column should hold.
func (k *checker) want(column *analyticsv1.ReportColumn, now, earlier span, keep func(map[string]string) bool) *decimal.Decimal {
	name := column.GetSource()
	value := k.value(name, now, keep)
	before := func() *decimal.Decimal { return k.value(name, earlier, keep) }
	divided := func(a, b *decimal.Decimal) *decimal.Decimal {
		if a == nil || b == nil || b.IsZero() {
			return nil
		}
		v := a.Div(*b)
		return &v
	}
	switch column.GetKind() {
	case analyticsv1.ColumnKind_COLUMN_KIND_EARLIER:
		return before()
	case analyticsv1.ColumnKind_COLUMN_KIND_DIFFERENCE, analyticsv1.ColumnKind_COLUMN_KIND_CHANGE:
		b := before()
		if value == nil || b == nil {
			return nil
		}
		difference := value.Sub(*b)
		if column.GetKind() == analyticsv1.ColumnKind_COLUMN_KIND_DIFFERENCE {
			return &difference
		}
		return divided(&difference, b)
	case analyticsv1.ColumnKind_COLUMN_KIND_RUNNING_TOTAL:
		return k.value(name, span{k.plan.period.from, now.to}, keep)
	case analyticsv1.ColumnKind_COLUMN_KIND_SHARE:
		return divided(value, k.value(name, now, k.stays))
	default:
		return value
	}
}
