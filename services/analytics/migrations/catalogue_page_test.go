package migrations_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	"tandem.bank/services/analytics/internal/report"
)

const catalogueHead = `
## Reports: measures and dimensions

What reports can ask over these views, from services/analytics/internal/report/catalogue.yaml: ` + "`tandem report run --measures turnover --by branch`" + `.
The SQL is that of a tool over the same views, which stand in it as f, and dimensions of customers and products that a fact lacks
are joined by its customer_id and product_id. Additive measures add up over everything, semi-additive ones over everything but
time, where the last day of the period counts; distinct counts and ratios add up over nothing.

`

// kinds are the words for how a measure may be put together.
var kinds = map[analyticsv1.MeasureKind]string{
	analyticsv1.MeasureKind_MEASURE_KIND_ADDITIVE: "additive", analyticsv1.MeasureKind_MEASURE_KIND_SEMI_ADDITIVE: "semi-additive",
	analyticsv1.MeasureKind_MEASURE_KIND_RATIO: "ratio", analyticsv1.MeasureKind_MEASURE_KIND_DISTINCT: "distinct",
}

// cataloguePage is Markdown with what reports can ask.
func cataloguePage(t *testing.T) []byte {
	t.Helper()
	c, err := report.Builtin("bi")
	if err != nil {
		t.Fatal(err)
	}
	described := c.Describe()
	var b bytes.Buffer
	b.WriteString(catalogueHead)
	table(&b, "### Measures", "measure", "unit", "kind", "fact", "SQL", "meaning")
	for _, m := range described.GetMeasures() {
		row(&b, m.GetName(), m.GetUnit(), kinds[m.GetKind()], m.GetFact(), code(m.GetSql()), m.GetDescription())
	}
	table(&b, "\n### Dimensions", "dimension", "filters by", "facts", "meaning")
	for _, d := range described.GetDimensions() {
		facts := slices.Sorted(maps.Keys(d.GetSql()))
		if len(facts) == len(described.GetFacts()) {
			facts = []string{"all"}
		}
		row(&b, d.GetName(), strings.Join(d.GetFilterFields(), ", "), strings.Join(facts, ", "), d.GetDescription())
	}
	table(&b, "\n### Hierarchies", "hierarchy", "levels")
	for _, h := range described.GetHierarchies() {
		row(&b, h.GetName(), strings.Join(h.GetLevels(), " → "))
	}
	table(&b, "\n### Facts", "fact", "view", "a row is")
	for _, f := range described.GetFacts() {
		view := "[" + strings.TrimPrefix(f.GetView(), "bi.") + "](#" + strings.TrimPrefix(f.GetView(), "bi.") + ")"
		if strings.HasPrefix(f.GetView(), "(") {
			view = code(f.GetView())
		}
		row(&b, f.GetName(), view, f.GetDescription())
	}
	return b.Bytes()
}

func table(b *bytes.Buffer, title string, columns ...string) {
	fmt.Fprintf(b, "%s\n\n", title)
	row(b, columns...)
	fmt.Fprintf(b, "|%s\n", strings.Repeat("---|", len(columns)))
}

func row(b *bytes.Buffer, cells ...string) {
	for i := range cells {
		cells[i] = strings.ReplaceAll(cells[i], "|", "\\|")
	}
	fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
}

func code(sql string) string { return "`" + sql + "`" }
