package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/type/date"
	"google.golang.org/protobuf/types/known/durationpb"

	"tandem.bank/deploy/e2e/bench/benchkit"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
)

var (
	//go:embed clickhouse.sql
	clickhouseSQL string
	//go:embed postgres.sql
	postgresSQL string
)

const (
	// reportGoal is the most that a report may take, as a multiple of the query that a person wrote.
	reportGoal = 1.3
	// firstRowGoal is the longest until the first row, in milliseconds.
	firstRowGoal = 1000
)

// asOf is the last day of the bank. The queries of people have it and the days that follow from it in them.
var asOf = &date.Date{Year: 2026, Month: 6, Day: 30}

func (b *bench) reportNames(ctx context.Context) ([]string, error) {
	answer, err := b.reports.ListReports(ctx, &analyticsv1.ListReportsRequest{})
	if err != nil {
		return nil, err
	}
	var names []string
	for _, r := range answer.GetReports() {
		names = append(names, r.GetName())
	}
	return names, nil
}

// answer is what shows that two ways came to the same: how many rows, and what each column adds up to.
type answer struct {
	rows    int64
	columns []string
	sums    map[string]float64
	first   time.Duration
}

// report measures a ready report against the queries of people, once all three gave the same answer.
func (b *bench) report(ctx context.Context, name string) ([]benchkit.Result, error) {
	written, forPostgres := b.written[name], b.writtenForPostgres[name]
	if written == "" || forPostgres == "" {
		return nil, errors.New("nobody wrote a query for it: add one to clickhouse.sql and postgres.sql")
	}
	if err := b.same(ctx, name, written, forPostgres); err != nil {
		return nil, err
	}
	run := func(ctx context.Context) (time.Duration, error) {
		got, err := b.run(ctx, name, anew)
		return got.first, err
	}
	best, err := b.turns(ctx, run, b.ask(written))
	if err != nil {
		return nil, err
	}
	slow, err := b.askPostgres(ctx, forPostgres)
	if err != nil {
		return nil, err
	}
	// What a reader sees who opens it as others did before: the answer of theirs when it takes long to compute.
	opened, err := b.run(ctx, name, nil)
	if err != nil {
		return nil, err
	}
	results := against("report "+name+", against the best query", best[0], best[1], reportGoal)
	return append(results,
		benchkit.AtMost("report "+name+", first row", milliseconds(opened.first), "ms", firstRowGoal),
		benchkit.Plain("report "+name+", first row when it is computed anew", milliseconds(best[0].first), "ms"),
		benchkit.Beside("report "+name+", Postgres against it", milliseconds(slow), milliseconds(best[0].clock), "ms")), nil
}

// anew is the greatest age of an answer that has to be computed.
var anew = durationpb.New(0)

// run asks for the report as any client does.
func (b *bench) run(ctx context.Context, name string, maxAge *durationpb.Duration) (answer, error) {
	out := answer{sums: map[string]float64{}}
	began := time.Now()
	stream, err := b.reports.RunReport(ctx, &analyticsv1.RunReportRequest{
		Report: &analyticsv1.RunReportRequest_Name{Name: name}, AsOf: asOf, MaxAge: maxAge,
	})
	if err != nil {
		return out, err
	}
	var columns []*analyticsv1.ReportColumn
	for {
		part, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		if header := part.GetHeader(); header != nil {
			columns = header.GetColumns()
			out.names(columns)
		}
		if len(part.GetRows().GetRows()) > 0 && out.first == 0 {
			out.first = time.Since(began)
		}
		for _, row := range part.GetRows().GetRows() {
			out.add(columns, row)
		}
	}
}

// counted reports whether a column is one that people's queries have, too: the others follow from these.
func counted(c *analyticsv1.ReportColumn) bool {
	return c.GetKind() == analyticsv1.ColumnKind_COLUMN_KIND_VALUE || c.GetKind() == analyticsv1.ColumnKind_COLUMN_KIND_EARLIER
}

// plain is the name that a column has in people's queries, without the pivot's value.
func plain(c *analyticsv1.ReportColumn) string {
	name, _, _ := strings.Cut(c.GetName(), "[")
	return strings.ReplaceAll(name, ".", "_")
}

func (a *answer) names(columns []*analyticsv1.ReportColumn) {
	for _, c := range columns {
		if name := plain(c); counted(c) && !strings.Contains(strings.Join(a.columns, " ")+" ", name+" ") {
			a.columns = append(a.columns, name)
		}
	}
}

func (a *answer) add(columns []*analyticsv1.ReportColumn, row *analyticsv1.ReportRow) {
	pivoted := false
	for i, c := range columns {
		if !counted(c) {
			continue
		}
		cell := row.GetCells()[i]
		if c.GetPivot() != "" && cell.GetValue() != nil && plain(c) == a.columns[0] {
			// What a pivot puts beside each other are rows to others.
			a.rows++
		}
		pivoted = pivoted || c.GetPivot() != ""
		value := float64(cell.GetInteger()) + cell.GetNumber()
		if text := cell.GetDecimal(); text != "" {
			value, _ = strconv.ParseFloat(text, 64) // the service writes decimals
		}
		a.sums[plain(c)] += value
	}
	a.rows++
}

// same compares the answers of the report and of the queries.
func (b *bench) same(ctx context.Context, name, written, forPostgres string) error {
	want, err := b.run(ctx, name, anew)
	if err != nil {
		return err
	}
	clickhouse, postgres := []string{"toInt64(count())"}, []string{"count(*)"}
	for _, c := range want.columns {
		clickhouse = append(clickhouse, "sum(ifNull(toFloat64(c."+c+"), 0))")
		postgres = append(postgres, "coalesce(sum(c."+c+"::float8), 0)")
	}
	for by, check := range map[string]func([]any) error{
		"ClickHouse": func(into []any) error {
			return b.Warehouse.QueryRow(ctx, "SELECT "+strings.Join(clickhouse, ", ")+" FROM ("+written+") AS c").Scan(into...)
		},
		"Postgres": func(into []any) error {
			return b.postgres.QueryRow(ctx, "SELECT "+strings.Join(postgres, ", ")+" FROM ("+forPostgres+") AS c").Scan(into...)
		},
	} {
		var rows int64
		sums := make([]float64, len(want.columns))
		into := []any{&rows}
		for i := range sums {
			into = append(into, &sums[i])
		}
		if err := check(into); err != nil {
			return fmt.Errorf("%s: %w", by, err)
		}
		if rows != want.rows {
			return fmt.Errorf("the query for %s has %d rows, the report %d", by, rows, want.rows)
		}
		for i, c := range want.columns {
			if math.Abs(sums[i]-want.sums[c]) > 1e-9*math.Abs(want.sums[c])+1e-4 {
				return fmt.Errorf("the query for %s adds %s up to %f, the report to %f", by, c, sums[i], want.sums[c])
			}
		}
	}
	return nil
}
