package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/cli/internal/show"
)

// ReportPlanCmd compares a plan with what came of it.
type ReportPlanCmd struct {
	Plan        string    `arg:"" help:"Name of the plan."`
	Indicator   string    `required:"" help:"Planned measure, for example sales_amount."`
	Volume      string    `help:"Measure of volume to split the difference by, for example sales."`
	Unit        string    `enum:"bank,region,branch,manager,customer,segment" default:"bank" help:"Whose figures: bank, region, branch, manager, customer, segment."`
	Period      string    `enum:"month,quarter,year" default:"month" help:"Planned periods: month, quarter, year."`
	From        day       `required:"" placeholder:"YYYY-MM-DD" help:"First day."`
	To          day       `required:"" placeholder:"YYYY-MM-DD" help:"Last day."`
	PlannedAt   time.Time `placeholder:"TIME" format:"2006-01-02T15:04:05Z07:00" help:"Compare the plan of that moment, as 2026-01-31T12:00:00Z; default is the one in force."`
	Currency    string    `help:"Currency of the plan; default is the base currency."`
	PlannedRate string    `help:"Planned value of one unit of the currency in base currency, for the part that rates made."`
	CSV         bool      `name:"csv" help:"Print CSV."`
}

// Run prints the comparison.
func (c *ReportPlanCmd) Run(ctx context.Context, app *App) error {
	request := &analyticsv1.CompareWithPlanRequest{
		Plan: c.Plan, Indicator: c.Indicator, Volume: c.Volume, From: c.From.Date, To: c.To.Date, Currency: c.Currency, PlannedRate: c.PlannedRate,
		Unit:   analyticsv1.PlanUnit(enumValue(analyticsv1.PlanUnit_value, "PLAN_UNIT_", c.Unit)),
		Period: definitionv1.TimeGrain(enumValue(definitionv1.TimeGrain_value, "TIME_GRAIN_", c.Period)),
	}
	if !c.PlannedAt.IsZero() {
		request.PlannedAt = timestamppb.New(c.PlannedAt)
	}
	return ask(ctx, app, performanceService, reportTimeout, analyticsv1.PerformanceServiceClient.CompareWithPlan, request, c.print)
}

// print shows the lines as a report, so that tables and CSV look alike everywhere.
func (c *ReportPlanCmd) print(out io.Writer, response *analyticsv1.CompareWithPlanResponse) error {
	header := &analyticsv1.ReportHeader{
		Title: "Plan " + c.Plan + ", " + c.Indicator, AsOf: response.GetAsOf(), Currency: response.GetCurrency(),
		NewestEventTime: response.GetNewestEventTime(), Columns: planColumns(c.Volume != ""),
	}
	end := &analyticsv1.ReportEnd{Rows: int64(len(response.GetLines()))}
	table, lines := &show.ReportTable{}, show.NewReportCSV(out)
	var to reportPrinter = table
	if c.CSV {
		to = lines
	}
	if err := to.Header(header); err != nil {
		return err
	}
	for _, line := range response.GetLines() {
		if err := to.Row(planRow(line, c.Volume != "")); err != nil {
			return err
		}
	}
	if c.CSV {
		return lines.Flush()
	}
	return table.Print(out, end)
}

func planColumns(parts bool) []*analyticsv1.ReportColumn {
	columns := []*analyticsv1.ReportColumn{{Name: "period"}, {Name: "unit"}}
	names := []string{"planned", "actual", "variance", "rate"}
	if parts {
		names = append(names, "by_volume", "by_price", "by_currency")
	}
	for _, name := range names {
		unit := "money"
		if name == "rate" {
			unit = "fraction"
		}
		columns = append(columns, &analyticsv1.ReportColumn{Name: name, Unit: unit})
	}
	return columns
}

func planRow(line *analyticsv1.PlanLine, parts bool) *analyticsv1.ReportRow {
	unit := line.GetUnitName()
	if line.GetUnitId() != 0 {
		unit = fmt.Sprintf("%s %s", strconv.FormatInt(line.GetUnitId(), 10), unit)
	}
	cells := []*analyticsv1.ReportCell{
		{Value: &analyticsv1.ReportCell_Day{Day: line.GetPeriodStart()}},
		{Value: &analyticsv1.ReportCell_Text{Text: unit}},
		exact(line.GetPlanned()),
		exact(line.GetActual()),
		exact(line.GetVariance()),
		{},
	}
	if line.VarianceRate != nil {
		cells[len(cells)-1].Value = &analyticsv1.ReportCell_Number{Number: line.GetVarianceRate()}
	}
	if parts {
		p := line.GetParts()
		cells = append(cells, exact(p.GetVolume()), exact(p.GetPrice()), exact(p.GetCurrency()))
	}
	return &analyticsv1.ReportRow{Cells: cells}
}

// exact is an amount; empty for none.
func exact(amount string) *analyticsv1.ReportCell {
	if amount == "" {
		return &analyticsv1.ReportCell{}
	}
	return &analyticsv1.ReportCell{Value: &analyticsv1.ReportCell_Decimal{Decimal: amount}}
}
