package report

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/date"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	"tandem.bank/services/analytics/internal/warehouse"
)

// header tells what the columns are.
func (s *Service) header(ctx context.Context, p *plan, pivot []pivotValue, of moment) (*analyticsv1.ReportHeader, error) {
	h, err := s.about(ctx, p, of)
	if err != nil {
		return nil, err
	}
	if p.grain != 0 {
		name := grainName(p.grain)
		h.Columns = append(h.Columns, &analyticsv1.ReportColumn{
			Name: name, Title: p.catalogue.title(name), Kind: analyticsv1.ColumnKind_COLUMN_KIND_TIME, Source: name,
		})
	}
	for _, d := range p.dimensions {
		h.Columns = append(h.Columns, &analyticsv1.ReportColumn{
			Name: d.Name, Title: d.Title, Kind: analyticsv1.ColumnKind_COLUMN_KIND_DIMENSION, Source: d.Name,
		})
	}
	for j := range len(pivot) + 1 {
		label := ""
		if j < len(pivot) {
			label = pivot[j].title()
		}
		for _, v := range p.values() {
			h.Columns = append(h.Columns, v.column(label))
		}
	}
	return h, nil
}

// title is what readers see of a pivot's value.
func (v pivotValue) title() string {
	switch {
	case v.label != "":
		return v.label
	case v.key != "":
		return v.key
	default:
		return "(none)"
	}
}

// about fills in what a report is of.
func (s *Service) about(ctx context.Context, p *plan, of moment) (*analyticsv1.ReportHeader, error) {
	currency, err := s.currency(ctx, p)
	if err != nil {
		return nil, err
	}
	h := &analyticsv1.ReportHeader{
		AsOf: date.Proto(p.asOf), From: date.Proto(p.period.from), To: date.Proto(p.period.to), Currency: currency,
		ComputedTime: timestamppb.New(of.computed),
	}
	if len(p.earlier) > 0 {
		h.ComparedFrom, h.ComparedTo = date.Proto(p.earlier[0].from), date.Proto(p.earlier[len(p.earlier)-1].to)
	}
	if !of.newest.IsZero() {
		h.NewestEventTime = timestamppb.New(of.newest)
		h.NewestEventAge = durationpb.New(time.Since(of.newest))
	}
	return h, nil
}

// currency is that of all money in a report.
func (s *Service) currency(ctx context.Context, p *plan) (string, error) {
	if code := p.query.GetCurrency(); code != "" {
		return code, nil
	}
	if base := s.base.Load(); base != nil {
		return *base, nil
	}
	var base string
	err := s.conn.QueryRow(s.settings(ctx), "SELECT ifNull(any(base_currency), '') FROM (SELECT base_currency FROM currency_rate LIMIT 1)").Scan(&base)
	if err != nil {
		return "", warehouse.Public(fmt.Errorf("report: find the base currency: %w", err))
	}
	if base != "" {
		s.base.Store(&base)
	}
	return base, nil
}

func (c *Catalogue) title(dimension string) string { return c.Dimension(dimension).Title }

var columnKinds = map[valueKind]analyticsv1.ColumnKind{
	valueNow: analyticsv1.ColumnKind_COLUMN_KIND_VALUE, valueEarlier: analyticsv1.ColumnKind_COLUMN_KIND_EARLIER,
	valueDifference: analyticsv1.ColumnKind_COLUMN_KIND_DIFFERENCE, valueChange: analyticsv1.ColumnKind_COLUMN_KIND_CHANGE,
	valueRunning: analyticsv1.ColumnKind_COLUMN_KIND_RUNNING_TOTAL, valueShare: analyticsv1.ColumnKind_COLUMN_KIND_SHARE,
}

var valueTitles = map[valueKind]string{
	valueEarlier: ", earlier", valueDifference: ", difference", valueChange: ", change", valueRunning: ", running total", valueShare: ", share",
}

// column describes a value; of a pivot's value when there is one.
func (v value) column(pivot string) *analyticsv1.ReportColumn {
	c := &analyticsv1.ReportColumn{
		Name: v.name, Title: v.measure.Title + valueTitles[v.kind], Kind: columnKinds[v.kind], Unit: v.measure.Unit, Source: v.measure.Name, Pivot: pivot,
	}
	if v.kind == valueChange || v.kind == valueShare {
		c.Unit = "fraction"
	}
	if pivot != "" {
		c.Name, c.Title = v.name+"["+pivot+"]", pivot+": "+c.Title
	}
	return c
}
