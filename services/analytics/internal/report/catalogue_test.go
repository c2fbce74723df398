package report

import (
	"slices"
	"testing"

	"tandem.bank/pkg/date"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/warehousetest"
)

// answer keeps a report.
type answer struct {
	header *analyticsv1.ReportHeader
	rows   []*analyticsv1.ReportRow
	end    *analyticsv1.ReportEnd
}

func (a *answer) Header(h *analyticsv1.ReportHeader) error { a.header = h; return nil }

func (a *answer) Rows(rows []*analyticsv1.ReportRow) error {
	a.rows = append(a.rows, rows...)
	return nil
}

var eva = Caller{ID: "eva"}

// ask runs a report.
func (w *world) ask(t testing.TB, q *definitionv1.ReportQuery) *answer {
	t.Helper()
	a := &answer{}
	var err error
	if a.end, err = w.service.Run(t.Context(), q, eva, 0, a); err != nil {
		t.Fatalf("%v: %v", q, err)
	}
	return a
}

// Every measure by every dimension that it has compiles on ClickHouse, plainly, and by month with totals.
func TestCatalogueCompiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	c := w.service.catalogue
	for _, m := range c.Measures {
		for grain, subtotals := range map[definitionv1.TimeGrain]definitionv1.Subtotals{
			0: 0, definitionv1.TimeGrain_TIME_GRAIN_MONTH: definitionv1.Subtotals_SUBTOTALS_TOTAL,
		} {
			dimensions := slices.DeleteFunc(c.dimensionsOf(m), func(name string) bool { return c.Dimension(name).Grain != "" })
			for chunk := range slices.Chunk(dimensions, 8) {
				w.explain(t, "EXPLAIN ", &definitionv1.ReportQuery{
					Measures: []string{m.Name}, Dimensions: chunk, Grain: grain, Subtotals: subtotals, AsOf: date.Proto(warehousetest.Day("2024-03-31")), Period: dayRange(span{warehousetest.Day("2024-01-01"), warehousetest.Day("2024-03-31")}),
				})
			}
		}
	}
}
