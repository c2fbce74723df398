package report

import (
	"context"
	"errors"
	"strings"
	"testing"

	gdate "google.golang.org/genproto/googleapis/type/date"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/date"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/warehousetest"
)

// attempts are names, filters and values of callers who mean no good, and some of those who do.
var attempts = []string{
	"branch", "turnover", "'", `"; DROP TABLE customer; --`, "f.branch_id) OR (1=1", "x`y", "\\", "{p1:String}", "Кредит", "\x00", "1 OR 1=1", "*", "today",
	"turnover desc", "sales-by-branch", "../ready/sales-by-branch", "branch_id", "ratio", "bi.dim_customer", "{bi}", "{as_of:Date}", "{p1:UInt64} -- ",
	"dictGet('tandem.customer_lookup', 'branch_id', 1)", "sex = \"x\" SETTINGS readonly = 0", "/*", "%", "\u202e", strings.Repeat("(", 300), "segment:\"a\"",
	"branch = \"a\" UNION ALL SELECT", "NOT", "-1", "9223372036854775808", "1e400", "2024-02-30", "{key}", "{{p1:String}}", "' OR sleep(3) OR '", "EUR",
	`sex = "it's" AND branch_id = 7`, `sex = "\\" OR sex = "'; SELECT 1"`, `age_band IN ("25-34", "'") AND NOT product_id > 3`, `branch = "a*"`, "month", "customer_id",
}

// wishes are requests with a text of the caller in each place that takes one, by the field that a refusal names.
func wishes(name string) map[string][]*definitionv1.ReportQuery {
	turnover, branch := []string{"turnover"}, []string{"branch"}
	part := func(i int) int32 { return int32(strings.TrimSpace(name + "01020304")[i]) - '0' }
	return map[string][]*definitionv1.ReportQuery{
		"query.measures": {{Measures: []string{name}}, {Measures: []string{"turnover", name}}},
		"query.dimensions": {
			{Measures: turnover, Dimensions: []string{name}},
			{Measures: []string{"customers"}, Dimensions: []string{name}, Grain: definitionv1.TimeGrain_TIME_GRAIN_MONTH, Period: dayRange(span{warehousetest.Day("2024-01-01"), warehousetest.Day("2024-03-31")})},
		},
		"query.pivot":    {{Measures: turnover, Pivot: name}},
		"query.order_by": {{Measures: turnover, Dimensions: branch, OrderBy: name}, {Measures: turnover, Dimensions: branch, OrderBy: name + " desc"}},
		"query.top": {
			{Measures: turnover, Dimensions: branch, Top: &definitionv1.TopN{Count: 1, Measure: name}},
			{Measures: turnover, Dimensions: branch, Top: &definitionv1.TopN{Count: 1, Measure: "turnover", Dimension: name}},
		},
		"query.currency": {{Measures: turnover, Currency: name}},
		"query.filter": {
			{Measures: turnover, Filter: name},
			{Measures: []string{"balance", "customers"}, Filter: name},
			{Measures: turnover, Filter: "sex = " + quoted(name)},
			{Measures: turnover, Filter: "segment:" + quoted(name)},
			{Measures: turnover, Filter: "branch = " + quoted(name) + " OR branch_id = 1"},
			{Measures: turnover, Filter: "branch_id = " + name},
		},
		"query.period": {{Measures: turnover, Period: &definitionv1.ReportPeriod{Kind: &definitionv1.ReportPeriod_Days{Days: &definitionv1.DayRange{
			From: &gdate.Date{Year: 2024, Month: part(0), Day: part(1)}, To: &gdate.Date{Year: 2024, Month: part(2), Day: part(3)},
		}}}}},
	}
}

// mark begins every value of wishes, so that it is found wherever it gets to.
const mark = "caller's "

// quoted is a text as a value of a filter.
func quoted(text string) string {
	return `"` + mark + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

// checkWish makes sure that a request is either good or refused as invalid by a field of the question that the caller filled in.
func checkWish(t *testing.T, s *Service, field string, q *definitionv1.ReportQuery) (accepted bool) {
	t.Helper()
	q.AsOf = date.Proto(warehousetest.Day("2024-03-31"))
	err := s.Check(q, Scope{})
	var known *apperr.Error
	switch {
	case err == nil:
		return true
	case !errors.As(err, &known), status.Code(err) != codes.InvalidArgument, len(known.Violations) == 0:
		t.Fatalf("%v: %v", q, err)
	}
	for _, wrong := range known.Violations {
		if !strings.HasPrefix(wrong.Field, field) {
			t.Fatalf("%v: %s is refused, which is not %s: %s", q, wrong.Field, field, wrong.Description)
		}
	}
	return false
}

// Whatever is asked, names are those of the catalogue and values are bound: the statement does not change with a value and holds no
// text of the caller, and a name that isn't known is refused with INVALID_ARGUMENT by its field.
func FuzzInjection(f *testing.F) {
	for _, text := range attempts {
		f.Add(text)
	}
	s := offline(f)
	f.Fuzz(func(t *testing.T, text string) {
		for field, list := range wishes(text) {
			for _, q := range list {
				if !checkWish(t, s, field, q) {
					continue
				}
				sql := s.write(t, q, Scope{})
				if strings.Contains(sql, mark) {
					t.Fatalf("a value stands in the statement:\n%s", sql)
				}
			}
		}
		sex := func(value string) *definitionv1.ReportQuery {
			return &definitionv1.ReportQuery{Measures: []string{"turnover"}, AsOf: date.Proto(warehousetest.Day("2024-03-15")), Filter: "sex = " + quoted(value)}
		}
		if s.Check(sex(text), Scope{}) != nil || strings.Contains(text, "*") {
			return
		}
		if got, want := s.write(t, sex(text), Scope{}), s.write(t, sex("x"), Scope{}); got != want {
			t.Fatalf("a value changed the statement:\n%s\n%s", got, want)
		}
	})
}

// parses makes sure that ClickHouse reads what is written for every accepted attempt, with its values beside it.
func (w *world) parses(t *testing.T) {
	t.Helper()
	accepted := 0
	for _, text := range attempts {
		for field, list := range wishes(text) {
			for _, q := range list {
				if !checkWish(t, w.service, field, q) {
					continue
				}
				accepted++
				w.explain(t, "EXPLAIN SYNTAX ", q)
			}
		}
	}
	if accepted < len(attempts) {
		t.Errorf("only %d requests were accepted", accepted)
	}
}

// explain asks ClickHouse for something about the statement of a question.
func (w *world) explain(t *testing.T, what string, q *definitionv1.ReportQuery) {
	t.Helper()
	p, err := w.service.prepare(q, Scope{}, nil)
	if err != nil {
		t.Fatalf("%v: %v", q, err)
	}
	if err := w.service.begin(context.Background(), p); err != nil {
		t.Fatalf("%v: %v", q, err)
	}
	b := p.binder()
	rows, err := w.conn.Query(w.service.settings(t.Context()), what+p.statement(b, 10), b.values...)
	if err != nil {
		t.Fatalf("%v: %v", q, err)
	}
	if err := errors.Join(rows.Close(), rows.Err()); err != nil {
		t.Fatalf("%v: %v", q, err)
	}
}
