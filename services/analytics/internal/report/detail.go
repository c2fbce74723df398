package report

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/shopspring/decimal"

	"tandem.bank/pkg/date"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
)

// piece is one measure from a fact that a cell is made of.
type piece struct {
	name    string
	measure *Measure
	span    span
	// negative pieces are taken away.
	negative bool
}

// pieces are what a cell is made of. Contributions of all pieces add up to it; where two of them are divided, each adds up to its
// own part.
func (c *cellPlan) pieces() []piece {
	var out []piece
	of := c.plan.catalogue.parts(c.value.measure)
	names := []string{"value"}
	if len(of) == 2 {
		names = []string{"numerator", "denominator"}
	}
	for i, m := range of {
		out = append(out, piece{name: names[i], measure: m, span: c.span()})
		if c.value.kind == valueDifference || c.value.kind == valueChange {
			out = append(out, piece{name: names[i] + ", earlier", measure: m, span: c.earlier, negative: true})
		}
	}
	return out
}

// details streams the rows behind a cell.
func (s *Service) details(ctx context.Context, c *cellPlan, limit int32, to Sink) (*analyticsv1.ReportEnd, error) {
	b := c.plan.binder()
	names := c.detailNames()
	header, err := s.about(ctx, c.plan, s.moment())
	if err != nil {
		return nil, err
	}
	header.From, header.To = date.Proto(c.now.from), date.Proto(c.now.to)
	header.Columns = append(header.Columns, &analyticsv1.ReportColumn{Name: "part", Title: "Part", Kind: analyticsv1.ColumnKind_COLUMN_KIND_DETAIL})
	for _, name := range names {
		header.Columns = append(header.Columns, &analyticsv1.ReportColumn{
			Name: name, Title: detailTitle(name), Kind: analyticsv1.ColumnKind_COLUMN_KIND_DETAIL, Source: name,
		})
	}
	header.Columns = append(header.Columns, &analyticsv1.ReportColumn{
		Name: "contribution", Title: "Contribution", Kind: analyticsv1.ColumnKind_COLUMN_KIND_CONTRIBUTION,
		Unit: c.plan.catalogue.parts(c.value.measure)[0].Unit, Source: c.value.measure.Name,
	})
	if err := to.Header(header); err != nil {
		return nil, err
	}
	if limit == 0 {
		limit = limitDefault
	}
	kind := c.contributionType()
	sql := c.detailStatement(b, names, kind, int(limit)+1)
	return s.stream(ctx, sql, b, newDetailDecoder(names, kind), int(limit), to)
}

func detailTitle(name string) string {
	text := strings.ReplaceAll(strings.TrimSuffix(name, "_id"), "_", " ")
	return strings.ToUpper(text[:1]) + text[1:]
}

// detailNames are the columns told of the rows of all pieces.
func (c *cellPlan) detailNames() []string {
	var out []string
	for _, piece := range c.pieces() {
		for _, d := range c.plan.catalogue.Fact(piece.measure.Fact).Details {
			if !slices.Contains(out, d.Name) {
				out = append(out, d.Name)
			}
		}
	}
	return out
}

// contributionType holds the contributions of all pieces.
func (c *cellPlan) contributionType() string {
	kind := "Int64"
	for _, piece := range c.pieces() {
		switch of := numberType(piece.measure); {
		case of == "Float64" || kind == "Float64":
			kind = "Float64"
		case of != "Int64":
			kind = of
		}
	}
	return kind
}

// detailTypes are the types of what is told of rows; what isn't here is text.
var detailTypes = map[string]string{
	"record": "Int64", "customer_id": "Int64", "account_id": "Int64", "product_id": "Int64", "branch_id": "Int64",
	"business_date": "Nullable(Date32)", "amount": "Nullable(Decimal(38, 4))",
}

func detailType(name string) string {
	if kind := detailTypes[name]; kind != "" {
		return kind
	}
	return "String"
}

func (c *cellPlan) detailStatement(b *binder, names []string, kind string, limit int) string {
	var parts []string
	for _, piece := range c.pieces() {
		parts = append(parts, c.detailsOf(b, piece, names, kind))
	}
	return fmt.Sprintf("SELECT * FROM (%s) ORDER BY part, business_date, record LIMIT %s",
		strings.Join(parts, " UNION ALL "), b.bind("UInt64", limit))
}

// detailsOf are the rows of one piece.
func (c *cellPlan) detailsOf(b *binder, of piece, names []string, kind string) string {
	narrow := *c.plan
	narrow.grain, narrow.cuts, narrow.earlier = 0, []cut{{span: of.span}}, nil
	narrow.coordinates = c.coordinates
	narrow.rank, narrow.source = c.ranks()
	fact := narrow.catalogue.Fact(of.measure.Fact)
	s := &scan{binder: b, plan: &narrow, fact: fact, measures: []*Measure{of.measure}}
	told := map[string]string{}
	used := append(s.asked(), s.used()...)
	for _, d := range fact.Details {
		told[d.Name] = d.SQL
		used = append(used, d.SQL)
	}
	selected := []string{b.bind("String", of.name) + " AS part"}
	for _, name := range names {
		expression := "defaultValueOfTypeName('" + detailType(name) + "')"
		if sql := told[name]; sql != "" {
			expression = fmt.Sprintf("CAST(%s, '%s')", sql, detailType(name))
		}
		selected = append(selected, expression+" AS "+name)
	}
	contribution, once := "1", ""
	switch of.measure.Aggregate {
	case aggregateSum:
		contribution = "ifNull(" + s.value(of.measure) + ", 0)"
	case aggregateDistinct:
		// One row stands for each: its first.
		once = " ORDER BY " + fact.Day + ", record LIMIT 1 BY " + s.value(of.measure)
	}
	if of.negative {
		contribution = "-" + contribution
	}
	selected = append(selected, fmt.Sprintf("CAST(%s, '%s') AS contribution", contribution, kind))
	from := s.rows(used)
	return fmt.Sprintf("SELECT %s FROM %s WHERE %s%s", strings.Join(selected, ", "), from.from, strings.Join(from.where, " AND "), once)
}

// detailDecoder reads single rows.
type detailDecoder struct{ targets []any }

func newDetailDecoder(names []string, contribution string) *detailDecoder {
	d := &detailDecoder{targets: []any{new(string)}}
	for _, name := range names {
		d.targets = append(d.targets, target(detailType(name)))
	}
	d.targets = append(d.targets, target(contribution))
	return d
}

// target is where a value of a type is scanned to.
func target(kind string) any {
	switch kind {
	case "Int64":
		return new(int64)
	case "Float64":
		return new(float64)
	case "Decimal(38, 4)":
		return new(decimal.Decimal)
	case "Nullable(Date32)":
		return new(*time.Time)
	case "Nullable(Decimal(38, 4))":
		return new(*decimal.Decimal)
	default:
		return new(string)
	}
}

func (d *detailDecoder) decode(found driver.Rows) (*analyticsv1.ReportRow, error) {
	if err := found.Scan(d.targets...); err != nil {
		return nil, err
	}
	row := &analyticsv1.ReportRow{Cells: make([]*analyticsv1.ReportCell, len(d.targets))}
	for i, target := range d.targets {
		row.Cells[i] = scanned(target)
	}
	return row, nil
}

func scanned(from any) *analyticsv1.ReportCell {
	switch v := from.(type) {
	case *int64:
		return &analyticsv1.ReportCell{Value: &analyticsv1.ReportCell_Integer{Integer: *v}}
	case *float64:
		return &analyticsv1.ReportCell{Value: &analyticsv1.ReportCell_Number{Number: *v}}
	case *decimal.Decimal:
		return &analyticsv1.ReportCell{Value: &analyticsv1.ReportCell_Decimal{Decimal: v.StringFixed(4)}}
	case *string:
		return &analyticsv1.ReportCell{Value: &analyticsv1.ReportCell_Text{Text: *v}}
	case **decimal.Decimal:
		if *v != nil {
			return scanned(*v)
		}
	case **time.Time:
		if *v != nil {
			return &analyticsv1.ReportCell{Value: &analyticsv1.ReportCell_Day{Day: date.Proto(**v)}}
		}
	}
	return &analyticsv1.ReportCell{}
}
