package report

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tandem.bank/pkg/date"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/warehousetest"
)

// offline is a service that only writes statements.
func offline(t testing.TB) *Service {
	t.Helper()
	c, err := Builtin("bi")
	if err != nil {
		t.Fatal(err)
	}
	return &Service{catalogue: c, timeZone: time.UTC, signer: signer{make([]byte, KeyBytes)}}
}

// write is the statement of a question.
func (s *Service) write(t testing.TB, q *definitionv1.ReportQuery, scope Scope) string {
	t.Helper()
	p, err := s.prepare(q, scope, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p.statement(p.binder(), 100)
}

var clause = regexp.MustCompile(` (FROM|WHERE|GROUP BY|ORDER BY|UNION ALL|LEFT ANY JOIN|INNER JOIN|ARRAY JOIN|LIMIT) `)

// The statements are those of the files; UPDATE_GOLDEN=1 writes them anew.
func TestStatements(t *testing.T) {
	t.Parallel()
	s := offline(t)
	month := definitionv1.TimeGrain_TIME_GRAIN_MONTH
	year := &definitionv1.ReportPeriod{Kind: &definitionv1.ReportPeriod_ToDate{ToDate: definitionv1.TimeGrain_TIME_GRAIN_YEAR}}
	for name, of := range map[string]struct {
		query *definitionv1.ReportQuery
		scope Scope
	}{
		"plain":    {query: &definitionv1.ReportQuery{Measures: []string{"turnover"}, Dimensions: []string{"branch"}}},
		"filter":   {query: &definitionv1.ReportQuery{Measures: []string{"credits"}, Filter: `branch = "Centre" AND age_band = "25-34" OR family = "loan"`}},
		"scope":    {query: &definitionv1.ReportQuery{Measures: []string{"contacts"}}, scope: Scope{Limited: true, Branches: []int64{7}}},
		"last":     {query: &definitionv1.ReportQuery{Measures: []string{"balance"}, Dimensions: []string{"age_band"}, Grain: month, Period: year}},
		"snapshot": {query: &definitionv1.ReportQuery{Measures: []string{"rfm_customers"}, Dimensions: []string{"rfm_cell"}, Grain: month, Period: year}},
		"interval": {query: &definitionv1.ReportQuery{Measures: []string{"customers"}, Dimensions: []string{"region"}}},
		"held":     {query: &definitionv1.ReportQuery{Measures: []string{"customers"}, Dimensions: []string{"region"}, Grain: month, Period: year, Subtotals: definitionv1.Subtotals_SUBTOTALS_TOTAL}},
		"follows":  {query: &definitionv1.ReportQuery{Measures: []string{"account_customers"}, Dimensions: []string{"family", "product"}, Grain: month, Period: year}},
		"across":   {query: &definitionv1.ReportQuery{Measures: []string{"turnover_per_customer", "contacts"}, Dimensions: []string{"branch"}}},
		"rollup":   {query: &definitionv1.ReportQuery{Measures: []string{"active_customers"}, Dimensions: []string{"region", "branch"}, Subtotals: definitionv1.Subtotals_SUBTOTALS_ROLLUP}},
		"pivot":    {query: &definitionv1.ReportQuery{Measures: []string{"turnover"}, Dimensions: []string{"branch"}, Pivot: "region"}},
		"shown":    {query: &definitionv1.ReportQuery{Measures: []string{"turnover", "customers"}, Pivot: "region", Grain: month, Period: year, Comparison: definitionv1.Comparison_COMPARISON_PREVIOUS_YEAR}},
		"top":      {query: &definitionv1.ReportQuery{Measures: []string{"turnover"}, Dimensions: []string{"manager"}, Top: &definitionv1.TopN{Count: 5, Measure: "turnover", Others: true}}},
		"compare":  {query: &definitionv1.ReportQuery{Measures: []string{"turnover"}, Grain: month, Period: year, Comparison: definitionv1.Comparison_COMPARISON_PREVIOUS_YEAR}},
		"both":     {query: &definitionv1.ReportQuery{Measures: []string{"turnover", "active_customers"}, Dimensions: []string{"branch"}, Period: year, Comparison: definitionv1.Comparison_COMPARISON_PREVIOUS_YEAR}},
		"running":  {query: &definitionv1.ReportQuery{Measures: []string{"turnover"}, Dimensions: []string{"branch"}, Grain: month, Period: year, RunningTotal: true, ShareOfTotal: true, OrderBy: "turnover desc"}},
		"currency": {query: &definitionv1.ReportQuery{Measures: []string{"turnover", "balance"}, Currency: "EUR"}},
	} {
		of.query.AsOf = date.Proto(warehousetest.Day("2024-03-15"))
		got := clause.ReplaceAllString(s.write(t, of.query, of.scope), "\n$1 ") + "\n"
		file := filepath.Join("testdata", name+".sql")
		if os.Getenv("UPDATE_GOLDEN") != "" {
			if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
