package report

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"tandem.bank/pkg/date"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/warehousetest"
)

// drillsPerQuestion is how many cells of an answer are drilled into.
const drillsPerQuestion = 3

// The rows behind any cell add up to it, and so do the values one level deeper of a measure that adds up.
func TestDrillDownAddsUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 9)
	m := newModel(w)
	r := rand.New(rand.NewPCG(3, 4))
	for range questions / 2 {
		q := draw(r, w.service.catalogue, m)
		t.Run("", func(t *testing.T) {
			t.Log(q.ReportQuery)
			a := w.ask(t, q.ReportQuery)
			for range min(drillsPerQuestion, len(a.rows)) {
				row := a.rows[r.IntN(len(a.rows))]
				i := len(row.GetCells()) - 1 - r.IntN(len(q.Measures))
				if cell := row.GetCells()[i]; cell.GetDrill() != "" {
					w.addsUp(t, a.header, a.header.GetColumns()[i], cell)
				}
			}
		})
	}
}

func (w *world) drill(t *testing.T, d Drill) *answer {
	t.Helper()
	a := &answer{}
	if _, err := w.service.Drill(t.Context(), d, eva, a); err != nil {
		t.Fatalf("drill: %v", err)
	}
	return a
}

// addsUp looks behind a cell.
func (w *world) addsUp(t *testing.T, header *analyticsv1.ReportHeader, column *analyticsv1.ReportColumn, cell *analyticsv1.ReportCell) {
	t.Helper()
	parts := map[string]decimal.Decimal{}
	behind := w.drill(t, Drill{Report: header.GetReportToken(), Cell: cell.GetDrill(), Rows: true})
	for _, row := range behind.rows {
		cells := row.GetCells()
		parts[cells[0].GetText()] = parts[cells[0].GetText()].Add(*numberOf(cells[len(cells)-1]))
	}
	measure := w.service.catalogue.Measure(column.GetSource())
	ratio := func(suffix string) decimal.Decimal {
		if len(measure.RatioOf) == 0 {
			return parts["value"+suffix]
		}
		if by := parts["denominator"+suffix]; !by.IsZero() {
			return parts["numerator"+suffix].Div(by)
		}
		return decimal.Zero
	}
	want, got := numberOf(cell), ratio("")
	switch column.GetKind() {
	case analyticsv1.ColumnKind_COLUMN_KIND_SHARE:
		return // the part of a whole; its rows are those of the value
	case analyticsv1.ColumnKind_COLUMN_KIND_DIFFERENCE:
		if len(measure.RatioOf) > 0 {
			got = got.Sub(ratio(", earlier"))
		} else {
			got = got.Add(parts["value, earlier"])
		}
	case analyticsv1.ColumnKind_COLUMN_KIND_CHANGE:
		earlier := ratio(", earlier")
		if len(measure.RatioOf) == 0 {
			earlier = earlier.Neg()
		}
		got = got.Sub(earlier).Div(earlier)
	}
	if !same(want, &got) {
		t.Errorf("rows behind %s add up to %s, not %s", column.GetName(), got, want)
	}
	if len(measure.RatioOf) > 0 || measure.Aggregate == aggregateDistinct || column.GetKind() == analyticsv1.ColumnKind_COLUMN_KIND_CHANGE {
		return
	}
	deeper := w.drill(t, Drill{Report: header.GetReportToken(), Cell: cell.GetDrill(), Dimension: "branch"})
	sum := decimal.Zero
	for i, c := range deeper.header.GetColumns() {
		if c.GetKind() != analyticsv1.ColumnKind_COLUMN_KIND_VALUE && column.GetKind() != analyticsv1.ColumnKind_COLUMN_KIND_DIFFERENCE ||
			column.GetKind() == analyticsv1.ColumnKind_COLUMN_KIND_DIFFERENCE && c.GetKind() != column.GetKind() {
			continue
		}
		for _, row := range deeper.rows {
			if !row.GetSubtotal() {
				sum = sum.Add(*numberOf(row.GetCells()[i]))
			}
		}
	}
	if !same(want, &sum) {
		t.Errorf("%s by branch adds up to %s, not %s", column.GetName(), sum, want)
	}
}

var byRegion = &definitionv1.ReportQuery{Measures: []string{"turnover"}, Dimensions: []string{"region"}, AsOf: date.Proto(warehousetest.Day("2024-06-30"))}

// Tokens are good for their caller only, with the same rights, and not when a character was changed.
func TestTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	a := w.ask(t, byRegion)
	report, cell := a.header.GetReportToken(), a.rows[0].GetCells()[1].GetDrill()
	// One level deeper than a region are its branches.
	if deeper := w.drill(t, Drill{Report: report, Cell: cell}); deeper.header.GetColumns()[0].GetName() != "branch" {
		t.Errorf("deeper is %v", deeper.header.GetColumns()[0])
	} else if again := w.drill(t, Drill{Report: deeper.header.GetReportToken(), Cell: deeper.rows[0].GetCells()[1].GetDrill()}); again.header.GetColumns()[0].GetName() != "manager" {
		t.Errorf("still deeper is %v", again.header.GetColumns()[0])
	}
	refused := func(d Drill, caller Caller, want codes.Code) {
		t.Helper()
		if _, err := w.service.Drill(t.Context(), d, caller, &answer{}); status.Code(err) != want {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	refused(Drill{Report: report, Cell: cell}, Caller{ID: "jana"}, codes.PermissionDenied)
	refused(Drill{Report: report, Cell: cell}, Caller{ID: "eva", Scope: Scope{Limited: true, Branches: []int64{1}}}, codes.PermissionDenied)
	other := w.ask(t, &definitionv1.ReportQuery{Measures: []string{"credits"}, Dimensions: []string{"region"}})
	refused(Drill{Report: other.header.GetReportToken(), Cell: cell}, eva, codes.InvalidArgument)
	refused(Drill{Report: report, Cell: cell, Dimension: "brnch"}, eva, codes.InvalidArgument)
	for i := range report {
		refused(Drill{Report: tampered(report, i), Cell: cell}, eva, codes.InvalidArgument)
	}
	for i := range cell {
		refused(Drill{Report: report, Cell: tampered(cell, i)}, eva, codes.InvalidArgument)
	}
}

func tampered(token string, i int) string {
	c := "A"
	if token[i] == 'A' {
		c = "B"
	}
	return token[:i] + c + token[i+1:]
}

// A limited caller sees the own branches and nothing else, in every fact.
func TestScope(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 5)
	m := newModel(w)
	mine := Caller{ID: "eva", Scope: Scope{Limited: true, Branches: []int64{2, 3}}}
	for _, name := range []string{"turnover", "balance", "customers", "accounts", "sales_amount", "contacts", "active_customers"} {
		q := &definitionv1.ReportQuery{Measures: []string{name}, AsOf: date.Proto(warehousetest.Day("2024-06-30")), Filter: `branch_id = 1 OR branch_id = 2 OR sex = ""`}
		a := &answer{}
		if _, err := w.service.Run(t.Context(), q, mine, 0, a); err != nil {
			t.Fatal(err)
		}
		want := m.value(name, span{to: warehousetest.Day("2024-06-30")}, func(d map[string]string) bool {
			return (d["branch"] == "2" || d["branch"] == "3") && (d["branch"] == "1" || d["branch"] == "2" || d["sex"] == "")
		})
		if got := numberOf(a.rows[0].GetCells()[0]); !same(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
		// Drilling keeps the limit.
		behind := &answer{}
		if _, err := w.service.Drill(t.Context(), Drill{Report: a.header.GetReportToken(), Cell: a.rows[0].GetCells()[0].GetDrill(), Rows: true}, mine, behind); err != nil {
			t.Fatal(err)
		}
		sum := decimal.Zero
		for _, row := range behind.rows {
			sum = sum.Add(*numberOf(row.GetCells()[len(row.GetCells())-1]))
		}
		if !same(&sum, want) {
			t.Errorf("%s: rows add up to %v, want %v", name, sum, want)
		}
	}
}

// Every wrong name is named, together with near ones, and ClickHouse reads what is written for those that are right.
func TestNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 6)
	w.parses(t)
	for want, q := range map[string]*definitionv1.ReportQuery{
		`query.measures[0]: "turnovr" is not a measure; near ones are turnover`:             {Measures: []string{"turnovr"}},
		`query.dimensions[0]: "brnch" is not a dimension; near ones are branch`:             {Measures: []string{"turnover"}, Dimensions: []string{"brnch"}},
		`query.pivot: "chanel" is not a dimension; near ones are channel`:                   {Measures: []string{"turnover"}, Pivot: "chanel"},
		`query.filter: "brnch" is not a field by which turnover can be filtered; near ones`: {Measures: []string{"turnover"}, Filter: `brnch = "x"`},
		`query.filter: `: {Measures: []string{"turnover"}, Filter: `branch = `},
		`query.dimensions: turnover can't be seen by outcome; it can by year`:              {Measures: []string{"turnover"}, Dimensions: []string{"outcome"}},
		`query.order_by: "turnovr" is not a column of this report; near ones are turnover`: {Measures: []string{"turnover"}, OrderBy: "turnovr desc"},
		`query.order_by: "turnover down" is not a column, followed by desc or not`:         {Measures: []string{"turnover"}, OrderBy: "turnover down"},
		`query.top.measure: "turnovers" is not a measure of this report; near ones`:        {Measures: []string{"turnover"}, Dimensions: []string{"branch"}, Top: &definitionv1.TopN{Count: 1, Measure: "turnovers"}},
		`query.top.dimension: "brunch" is not a dimension of this report; near ones`:       {Measures: []string{"turnover"}, Dimensions: []string{"branch"}, Top: &definitionv1.TopN{Count: 1, Measure: "turnover", Dimension: "brunch"}},
		`query.period.days.to: must not be later than as_of, 2024-01-31`:                   {Measures: []string{"turnover"}, AsOf: date.Proto(warehousetest.Day("2024-01-31")), Period: dayRange(span{warehousetest.Day("2024-01-01"), warehousetest.Day("2024-02-01")})},
		`query.comparison: needs a period with a beginning`:                                {Measures: []string{"turnover"}, Comparison: 1},
		`query.currency: "czk" is not an ISO 4217 currency`:                                {Measures: []string{"turnover"}, Currency: "czk"},
		`query.running_total: balance: none of these adds up over time`:                    {Measures: []string{"balance"}, Grain: definitionv1.TimeGrain_TIME_GRAIN_MONTH, RunningTotal: true},
		`query.share_of_total: satisfaction, buyers: ratios and distinct counts are no`:    {Measures: []string{"satisfaction", "buyers"}, ShareOfTotal: true},
		`query.currency: rfm_value is known only in the base currency`:                     {Measures: []string{"rfm_value"}, Currency: "EUR"},
	} {
		err := w.service.Check(q, Scope{})
		if err == nil || !strings.HasPrefix(err.Error(), want) || status.Code(err) != codes.InvalidArgument {
			t.Errorf("got %v\nwant %s", err, want)
		}
	}
}

// Every report that comes with the program compiles and runs.
func TestReady(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 8)
	ready, err := ReadReady()
	if err != nil {
		t.Fatal(err)
	}
	for name, d := range ready {
		if wrong := checkChart(d); len(wrong) > 0 {
			t.Errorf("%s: %v", name, wrong)
		}
		q := cloneQuery(d.GetQuery())
		q.AsOf = date.Proto(warehousetest.Day("2024-06-30"))
		if a := w.ask(t, q); len(a.rows) == 0 && name != "service-quality" && name != "clv-by-slice" {
			t.Errorf("%s has no rows", name)
		}
	}
}
