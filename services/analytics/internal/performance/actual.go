package performance

import (
	"context"
	"slices"

	"github.com/shopspring/decimal"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/date"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
)

// outcome is what came of one planned figure.
type outcome struct {
	amount, volume decimal.Decimal
	// base is the amount in base currency, of a plan with a rate.
	base decimal.Decimal
}

// actual runs the reports behind a comparison, and keeps what was planned for.
func (s *Service) actual(ctx context.Context, q *question, planned []figure) (map[key]outcome, error) {
	keep := &keeper{found: map[key]outcome{}}
	segments := []string{""}
	for _, f := range planned {
		keep.found[f.key] = outcome{}
		if q.unit.plan == "segment" && !slices.Contains(segments, f.unit) {
			segments = append(segments, f.unit)
		}
	}
	if q.unit.plan == "segment" {
		segments = segments[1:]
	}
	if len(segments) > segmentsMax {
		return nil, apperr.InvalidField("unit", "at most %d segments are compared at a time", segmentsMax)
	}
	for _, segment := range segments {
		keep.segment = segment
		queries := []*definitionv1.ReportQuery{q.report(segment, "")}
		if q.rate != nil {
			queries = append(queries, q.report(segment, q.currency))
		}
		for i, query := range queries {
			keep.base = i == 1
			if _, err := s.reports.Run(ctx, query, q.caller, 0, keep); err != nil {
				return nil, err
			}
		}
	}
	return keep.found, nil
}

// keeper takes the rows of a report that were planned for; its memory is bounded by the plan.
type keeper struct {
	found   map[key]outcome
	segment string
	base    bool
	columns []*analyticsv1.ReportColumn
}

// Header learns the columns.
func (k *keeper) Header(h *analyticsv1.ReportHeader) error {
	k.columns = h.GetColumns()
	return nil
}

// Rows keeps what was planned for.
func (k *keeper) Rows(rows []*analyticsv1.ReportRow) error {
	for _, row := range rows {
		at := key{unit: k.segment}
		var numbers []decimal.Decimal
		for i, cell := range row.GetCells() {
			switch k.columns[i].GetKind() {
			case analyticsv1.ColumnKind_COLUMN_KIND_TIME:
				day, err := date.Time(cell.GetDay())
				if err != nil {
					return err
				}
				at.start = day
			case analyticsv1.ColumnKind_COLUMN_KIND_DIMENSION:
				at.unit = cell.GetKey()
			default:
				numbers = append(numbers, number(cell))
			}
		}
		k.keep(at, numbers)
	}
	return nil
}

func (k *keeper) keep(at key, numbers []decimal.Decimal) {
	o, planned := k.found[at]
	if !planned {
		return
	}
	if k.base {
		o.base = numbers[0]
	} else {
		o.amount = numbers[0]
		if len(numbers) > 1 {
			o.volume = numbers[1]
		}
	}
	k.found[at] = o
}

// number is a cell's value; money and counts are exact.
func number(c *analyticsv1.ReportCell) decimal.Decimal {
	switch v := c.GetValue().(type) {
	case *analyticsv1.ReportCell_Integer:
		return decimal.New(v.Integer, 0)
	case *analyticsv1.ReportCell_Decimal:
		if d, err := decimal.NewFromString(v.Decimal); err == nil {
			return d
		}
	case *analyticsv1.ReportCell_Number:
		return decimal.NewFromFloat(v.Number)
	}
	return decimal.Zero
}

// line is one figure with what came of it.
func (q *question) line(f figure, o outcome) *analyticsv1.PlanLine {
	figures := Figures{Planned: f.amount, Actual: o.amount, ActualVolume: o.volume}
	if f.volume != nil && !f.volume.IsZero() && q.GetVolume() != "" {
		figures.PlannedVolume, figures.HasVolume = *f.volume, true
	}
	if q.rate != nil {
		figures.Rate, figures.ActualBase, figures.HasRate = *q.rate, o.base, true
	}
	v := Of(figures)
	out := &analyticsv1.PlanLine{
		UnitId: int64(f.id), UnitName: f.name, PeriodStart: date.Proto(f.start), //nolint:gosec // ids come from int64s
		Planned: text(v.Planned), Actual: text(v.Actual), Variance: text(v.Total),
	}
	if !v.Planned.IsZero() {
		rate := v.Total.Div(v.Planned).InexactFloat64()
		out.VarianceRate = &rate
	}
	if figures.HasVolume {
		out.Parts = parts(f, figures, v)
	}
	return out
}

func parts(f figure, figures Figures, v Variance) *analyticsv1.VarianceParts {
	out := &analyticsv1.VarianceParts{
		Volume: text(v.Volume), Price: text(v.Price), Currency: text(v.Currency),
		PlannedVolume: figures.PlannedVolume.String(), ActualVolume: figures.ActualVolume.String(),
		PlannedPrice: f.amount.DivRound(figures.PlannedVolume, 2*moneyPlaces).String(),
	}
	if !figures.ActualVolume.IsZero() {
		out.ActualPrice = figures.Actual.DivRound(figures.ActualVolume, 2*moneyPlaces).String()
	}
	return out
}

func text(d decimal.Decimal) string { return d.StringFixed(moneyPlaces) }
