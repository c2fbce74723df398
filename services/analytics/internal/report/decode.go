package report

import (
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/shopspring/decimal"

	"tandem.bank/pkg/date"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
)

// rowDecoder reads the current row of a statement.
type rowDecoder interface {
	decode(driver.Rows) (*analyticsv1.ReportRow, error)
}

// line is a row of a report as the warehouse tells it.
type line struct {
	others   uint8
	summed   uint64
	cut      time.Time
	keys     []string
	labels   []string
	integers []*int64
	decimals []*decimal.Decimal
	floats   []*float64
}

// clone keeps a line from being scanned over.
func (l *line) clone() line {
	c := *l
	c.keys, c.labels = slices.Clone(l.keys), slices.Clone(l.labels)
	c.integers, c.decimals, c.floats = slices.Clone(l.integers), slices.Clone(l.decimals), slices.Clone(l.floats)
	return c
}

// decoder reads rows of a report, and signs their cells.
type decoder struct {
	line

	plan   *plan
	pivot  []pivotValue
	report *reportToken
	// values are told for each value of the pivot, and at last over all of them.
	values  []value
	targets []any
	wide    wide
}

// wide is what a row has by the pivot's values: in the order of keys, numbers of each measure in one of three types. The first row
// has the values that become columns, too.
type wide struct {
	keys          []string
	integers      [][]*int64
	decimals      [][]*decimal.Decimal
	floats        [][]*float64
	pivot, titles []string
	// columns are the places of the pivot's values.
	columns map[string]int
}

func newDecoder(p *plan, pivot []pivotValue, report *reportToken) *decoder {
	values := p.values()
	width := len(values) * (len(pivot) + 1)
	d := &decoder{plan: p, pivot: pivot, report: report, values: values, line: line{
		keys: make([]string, len(p.dimensions)), labels: make([]string, len(p.dimensions)),
		integers: make([]*int64, width), decimals: make([]*decimal.Decimal, width), floats: make([]*float64, width),
	}}
	d.targets = []any{&d.others, &d.summed}
	if p.grain != 0 {
		d.targets = append(d.targets, &d.cut)
	}
	for i := range p.dimensions {
		d.targets = append(d.targets, &d.keys[i], &d.labels[i])
	}
	// What is over all values of the pivot comes last.
	for i, v := range values {
		d.targets = append(d.targets, d.target(i+len(values)*len(pivot), answerType(v)))
	}
	if p.pivot != nil {
		d.gather()
	}
	return d
}

// gather makes room for what a row has by the pivot's values.
func (d *decoder) gather() {
	per := len(d.values)
	d.wide = wide{
		integers: make([][]*int64, per), decimals: make([][]*decimal.Decimal, per), floats: make([][]*float64, per), columns: map[string]int{},
	}
	d.targets = append(d.targets, &d.wide.keys)
	for i, v := range d.values {
		switch answerType(v) {
		case typeIntegers:
			d.targets = append(d.targets, &d.wide.integers[i])
		case typeFloats:
			d.targets = append(d.targets, &d.wide.floats[i])
		default:
			d.targets = append(d.targets, &d.wide.decimals[i])
		}
	}
	d.targets = append(d.targets, &d.wide.pivot, &d.wide.titles)
	for j, v := range d.pivot {
		d.wide.columns[v.key] = j
	}
}

func (d *decoder) target(i int, kind string) any {
	switch kind {
	case typeIntegers:
		return &d.integers[i]
	case typeFloats:
		return &d.floats[i]
	default:
		return &d.decimals[i]
	}
}

func (d *decoder) decode(found driver.Rows) (*analyticsv1.ReportRow, error) {
	if err := found.Scan(d.targets...); err != nil {
		return nil, err
	}
	if d.plan.pivot != nil {
		d.spread()
	}
	return d.row(), nil
}

// spread gives each value of the pivot its columns. What a row lacks is 0 where it would be a sum, and nothing where it would be divided.
func (d *decoder) spread() {
	per := len(d.values)
	for i, v := range d.values {
		kind := answerType(v)
		for j := range d.pivot {
			at := i + j*per
			d.integers[at], d.decimals[at], d.floats[at] = nil, nil, nil
			switch {
			case v.divided():
			case kind == typeIntegers:
				d.integers[at] = new(int64)
			case kind == typeFloats:
				d.floats[at] = new(float64)
			default:
				d.decimals[at] = new(decimal.Decimal)
			}
		}
		for n, key := range d.wide.keys {
			j, ok := d.wide.columns[key]
			if !ok {
				continue
			}
			switch at := i + j*per; kind {
			case typeIntegers:
				d.integers[at] = d.wide.integers[i][n]
			case typeFloats:
				d.floats[at] = d.wide.floats[i][n]
			default:
				d.decimals[at] = d.wide.decimals[i][n]
			}
		}
	}
}

// row renders the line.
func (d *decoder) row() *analyticsv1.ReportRow {
	row := &analyticsv1.ReportRow{Subtotal: d.summed != 0, Cells: make([]*analyticsv1.ReportCell, 0, len(d.keys)+len(d.integers)+1)}
	if d.plan.grain != 0 {
		row.Cells = append(row.Cells, &analyticsv1.ReportCell{Value: &analyticsv1.ReportCell_Day{Day: date.Proto(d.cut)}})
	}
	for i := range d.plan.dimensions {
		row.Cells = append(row.Cells, d.member(i))
	}
	at, cells := d.report.row(d), make([]analyticsv1.ReportCell, len(d.integers))
	for i := range cells {
		cell := &cells[i]
		if d.fill(cell, i); cell.GetValue() != nil {
			cell.Drill = at.cell(i)
		}
		row.Cells = append(row.Cells, cell)
	}
	return row
}

// summedUp reports whether a row is over all values of a dimension.
func (d *decoder) summedUp(i int) bool { return d.summed&(1<<(len(d.plan.dimensions)-1-i)) != 0 }

func (d *decoder) member(i int) *analyticsv1.ReportCell {
	cell := &analyticsv1.ReportCell{}
	switch {
	case d.summedUp(i):
		cell.Member = analyticsv1.CellMember_CELL_MEMBER_ALL
	case d.others == 1 && d.plan.dimensions[i] == d.plan.top:
		cell.Member = analyticsv1.CellMember_CELL_MEMBER_OTHERS
	default:
		label := d.labels[i]
		if label == "" && d.plan.dimensions[i].Type != typeText && d.keys[i] != "0" {
			label = d.keys[i]
		}
		cell.Key, cell.Value = d.keys[i], &analyticsv1.ReportCell_Text{Text: label}
	}
	return cell
}

// fill puts a number into its cell.
func (d *decoder) fill(cell *analyticsv1.ReportCell, i int) {
	switch {
	case d.integers[i] != nil:
		cell.Value = &analyticsv1.ReportCell_Integer{Integer: *d.integers[i]}
	case d.decimals[i] != nil:
		cell.Value = &analyticsv1.ReportCell_Decimal{Decimal: d.decimals[i].StringFixed(4)}
	case d.floats[i] != nil:
		cell.Value = &analyticsv1.ReportCell_Number{Number: *d.floats[i]}
	}
}

// pivotKey is the pivot's value that a column is about.
func (d *decoder) pivotKey(i int) (string, bool) {
	if j := i / len(d.values); j < len(d.pivot) {
		return d.pivot[j].key, true
	}
	return "", false
}
