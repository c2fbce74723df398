package report

import (
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/shopspring/decimal"

	"tandem.bank/pkg/date"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
)

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
