package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/cli/internal/show"
)

// reportTimeout bounds a report, which the server stops before.
const reportTimeout = 15 * time.Minute

// ReportCmd groups what is done with reports.
type ReportCmd struct {
	Catalogue ReportCatalogueCmd `cmd:"" help:"List measures and dimensions, or tell about one measure."`
	List      ReportListCmd      `cmd:"" help:"List the reports that come with Tandem."`
	Run       ReportRunCmd       `cmd:"" help:"Run a report by its name, or measures by dimensions."`
	Drill     ReportDrillCmd     `cmd:"" help:"Go one level deeper into a value, or to the rows behind it."`
	Export    ReportExportCmd    `cmd:"" help:"Make a CSV, XLSX or PDF file of a report."`
	Files     ReportFilesCmd     `cmd:"" help:"List the files of your exports, and those that schedules made of saved reports."`
	Fetch     ReportFetchCmd     `cmd:"" help:"Fetch the file of an export, as tandem report files and tandem schedule runs name it."`
	Plan      ReportPlanCmd      `cmd:"" help:"Compare a plan with what came of it, and say what made the difference."`
}

// ReportCatalogueCmd prints the catalogue.
type ReportCatalogueCmd struct {
	Measure string `arg:"" optional:"" help:"Measure to tell about."`
}

// Run prints the catalogue.
func (c *ReportCatalogueCmd) Run(ctx context.Context, app *App) error {
	conn, err := app.Analytics()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	response, err := analyticsv1.NewReportServiceClient(conn).GetCatalogue(ctx, &analyticsv1.GetCatalogueRequest{})
	if err != nil {
		return err
	}
	if c.Measure == "" {
		if app.JSON {
			return printJSON(app, response)
		}
		return show.Catalogue(app.Out, response)
	}
	i := slices.IndexFunc(response.GetMeasures(), func(m *analyticsv1.CatalogueMeasure) bool { return m.GetName() == c.Measure })
	if i < 0 {
		return fmt.Errorf("there is no measure %q; `tandem report catalogue` lists them", c.Measure)
	}
	if app.JSON {
		return printJSON(app, response.GetMeasures()[i])
	}
	return show.Measure(app.Out, response.GetMeasures()[i])
}

// ReportListCmd lists ready reports.
type ReportListCmd struct{}

// Run prints the list.
func (c *ReportListCmd) Run(ctx context.Context, app *App) error {
	return ask(ctx, app, reportService, callTimeout, analyticsv1.ReportServiceClient.ListReports, &analyticsv1.ListReportsRequest{},
		func(out io.Writer, response *analyticsv1.ListReportsResponse) error {
			for _, r := range response.GetReports() {
				if _, err := fmt.Fprintf(out, "%-24s %s\n", r.GetName(), r.GetDefinition().GetDescription()); err != nil {
					return err
				}
			}
			return nil
		})
}

// reportQuestion is a question, or the name of a report.
type reportQuestion struct {
	Name      string   `arg:"" optional:"" help:"Name of a report that is saved or comes with Tandem."`
	Version   int32    `help:"Version of the saved report; default is the one in force."`
	AsOf      day      `placeholder:"YYYY-MM-DD" help:"Last day that counts (2006-01-02); default is today."`
	Measures  []string `help:"Measures instead of a name, for example turnover,balance."`
	By        []string `help:"Dimensions, coarse before fine, for example region,branch."`
	Pivot     string   `help:"Dimension whose values become columns."`
	Filter    string   `help:"Filter over the names of dimensions, for example 'family = \"loan\"'."`
	From      day      `placeholder:"YYYY-MM-DD" help:"First day that counts."`
	To        day      `placeholder:"YYYY-MM-DD" help:"Last day of the period; default is --as-of."`
	Last      int32    `help:"Last years, quarters, months, weeks or days by --grain, or by months without it, instead of --from."`
	Grain     string   `enum:",year,quarter,month,week,day" default:"" help:"Cut the period by year, quarter, month, week or day."`
	Subtotals string   `enum:",total,rollup,cube" default:"" help:"Add sums: total, rollup, cube."`
	OrderBy   string   `help:"Order of the rows, for example 'turnover desc'."`
	Top       int32    `help:"Keep so many values of the first dimension, by the first measure."`
	Others    bool     `help:"Keep the rest of --top as one value."`
	Compare   string   `enum:",previous_period,previous_year" default:"" help:"Compare with previous_period or previous_year."`
	Running   bool     `help:"Add sums since the beginning of the period."`
	Share     bool     `help:"Add shares of the total."`
	Currency  string   `help:"Only amounts stated in this currency; default converts all into the base currency."`
	Limit     int32    `help:"Most rows; default is 100000."`
}

// check finds options that would do nothing.
func (q *reportQuestion) check() error {
	rest := *q
	rest.Name, rest.Version, rest.AsOf = "", 0, day{}
	switch {
	case (q.Name == "") == (len(q.Measures) == 0):
		return errors.New("give either the name of a report or --measures")
	case q.Name != "" && !reflect.ValueOf(rest).IsZero():
		return errors.New("a report has its own question: only --as-of and --version go with its name; `tandem definition` changes and saves reports")
	case q.Name == "" && q.Version != 0:
		return errors.New("--version goes with the name of a report")
	case q.Others && q.Top == 0:
		return errors.New("--others needs --top")
	}
	return nil
}

// request is what the question asks.
func (q *reportQuestion) request() (*analyticsv1.RunReportRequest, error) {
	asOf := q.AsOf.Date
	if err := q.check(); err != nil {
		return nil, err
	}
	if q.Name != "" {
		return &analyticsv1.RunReportRequest{
			Report: &analyticsv1.RunReportRequest_Name{Name: q.Name}, Version: q.Version, AsOf: asOf,
		}, nil
	}
	query := &definitionv1.ReportQuery{
		Measures: q.Measures, Dimensions: q.By, Pivot: q.Pivot, Filter: q.Filter, AsOf: asOf, OrderBy: q.OrderBy, Limit: q.Limit,
		RunningTotal: q.Running, ShareOfTotal: q.Share, Currency: q.Currency,
		Grain:      definitionv1.TimeGrain(enumValue(definitionv1.TimeGrain_value, "TIME_GRAIN_", q.Grain)),
		Subtotals:  definitionv1.Subtotals(enumValue(definitionv1.Subtotals_value, "SUBTOTALS_", q.Subtotals)),
		Comparison: definitionv1.Comparison(enumValue(definitionv1.Comparison_value, "COMPARISON_", q.Compare)),
	}
	if q.Top != 0 {
		query.Top = &definitionv1.TopN{Count: q.Top, Measure: q.Measures[0], Others: q.Others}
	}
	var err error
	query.Period, err = q.period(query.GetGrain())
	return &analyticsv1.RunReportRequest{Report: &analyticsv1.RunReportRequest_Query{Query: query}}, err
}

func (q *reportQuestion) period(grain definitionv1.TimeGrain) (*definitionv1.ReportPeriod, error) {
	switch {
	case q.Last != 0 && q.From.Date != nil:
		return nil, errors.New("give either --last or --from")
	case q.Last != 0:
		if grain == 0 {
			grain = definitionv1.TimeGrain_TIME_GRAIN_MONTH
		}
		return &definitionv1.ReportPeriod{Kind: &definitionv1.ReportPeriod_Last{Last: &definitionv1.LastPeriods{Count: q.Last, Unit: grain}}}, nil
	case q.From.Date == nil && q.To.Date == nil:
		return nil, nil //nolint:nilnil // all days are an answer
	case q.From.Date == nil:
		return nil, errors.New("--to needs --from")
	}
	return &definitionv1.ReportPeriod{Kind: &definitionv1.ReportPeriod_Days{Days: &definitionv1.DayRange{From: q.From.Date, To: q.To.Date}}}, nil
}

// enumValue finds the value of an enum by the last words of its name; 0 for an empty one.
func enumValue(values map[string]int32, prefix, name string) int32 {
	if name == "" {
		return 0
	}
	return values[prefix+strings.ToUpper(name)]
}

// ReportRunCmd runs a report.
type ReportRunCmd struct {
	reportQuestion `embed:""`
	MaxAge         *time.Duration `placeholder:"10m" help:"How old the answer may be; 0s computes it anew. Default is what the server keeps of a report that is run by its name, and 0s for --measures."`
	CSV            bool           `name:"csv" help:"Print CSV."`
	Tokens         bool           `help:"Add a token for tandem report drill to each row, of its first value."`
}

// Run streams the report and prints it.
func (c *ReportRunCmd) Run(ctx context.Context, app *App) error {
	request, err := c.request()
	if err != nil {
		return err
	}
	conn, err := app.Analytics()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, reportTimeout)
	defer cancel()
	if c.MaxAge != nil {
		request.MaxAge = durationpb.New(*c.MaxAge)
	}
	stream, err := analyticsv1.NewReportServiceClient(conn).RunReport(ctx, request)
	if err != nil {
		return err
	}
	return printReport(app, c.CSV, c.Tokens, stream)
}

// reportPart is a part of a report or of what lies behind a cell.
type reportPart interface {
	GetHeader() *analyticsv1.ReportHeader
	GetRows() *analyticsv1.ReportRows
	GetEnd() *analyticsv1.ReportEnd
}

// reportPrinter prints a report part by part.
type reportPrinter interface {
	Header(*analyticsv1.ReportHeader) error
	Row(*analyticsv1.ReportRow) error
}

// printReport prints a stream as a table, as CSV, or as JSON with one part in a line.
func printReport[P any, Part interface {
	*P
	reportPart
}](app *App, asCSV, tokens bool, stream grpc.ServerStreamingClient[P]) error {
	table, lines := &show.ReportTable{Tokens: tokens}, show.NewReportCSV(app.Out)
	var to reportPrinter = table
	if asCSV {
		to = lines
	}
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		part := Part(message)
		switch {
		case app.JSON:
			err = printPart(app, part)
		case part.GetHeader() != nil:
			err = to.Header(part.GetHeader())
		default:
			for _, row := range part.GetRows().GetRows() {
				err = errors.Join(err, to.Row(row))
			}
		}
		if err != nil || part.GetEnd() == nil {
			if err != nil {
				return err
			}
			continue
		}
		if app.JSON {
			return nil
		}
		if asCSV {
			return lines.Flush()
		}
		return table.Print(app.Out, part.GetEnd())
	}
}

func printPart(app *App, part reportPart) error {
	switch {
	case part.GetHeader() != nil:
		return printJSON(app, part.GetHeader())
	case part.GetEnd() != nil:
		return printJSON(app, part.GetEnd())
	default:
		return printJSON(app, part.GetRows())
	}
}

// ReportDrillCmd looks into a cell.
type ReportDrillCmd struct {
	Token  string `arg:"" help:"Token of a value, as tandem report run --tokens prints it; from --json it is reportToken, a dot, and the cell's drill."`
	By     string `help:"Dimension to see it by; default is the next level, and the rows at the end."`
	Rows   bool   `help:"Show the rows behind the value."`
	Limit  int32  `help:"Most rows; default is 100000."`
	CSV    bool   `name:"csv" help:"Print CSV."`
	Tokens bool   `help:"Add a token to each row, to go still deeper."`
}

// Run prints what lies behind the value.
func (c *ReportDrillCmd) Run(ctx context.Context, app *App) error {
	report, cell, ok := strings.Cut(c.Token, ".")
	if !ok {
		return errors.New("the token has two parts with a dot between them")
	}
	conn, err := app.Analytics()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, reportTimeout)
	defer cancel()
	stream, err := analyticsv1.NewReportServiceClient(conn).DrillDown(ctx, &analyticsv1.DrillDownRequest{
		ReportToken: report, Cell: cell, Dimension: c.By, Rows: c.Rows, Limit: c.Limit,
	})
	if err != nil {
		return err
	}
	return printReport(app, c.CSV, c.Tokens, stream)
}
