package clv

import (
	"context"
	_ "embed" // the SQL files
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
)

var (
	//go:embed sql/days.sql
	daysSQL string
	//go:embed sql/slices.sql
	slicesSQL string
)

// slicing says how a slice is found and what it is called.
type slicing struct{ by, name, names string }

var slicings = map[analyticsv1.ClvSliceBy]slicing{
	analyticsv1.ClvSliceBy_CLV_SLICE_BY_UNSPECIFIED:   {by: "''", name: "''"},
	analyticsv1.ClvSliceBy_CLV_SLICE_BY_MANAGER:       {by: number0("manager_id"), name: "''"},
	analyticsv1.ClvSliceBy_CLV_SLICE_BY_BRANCH:        {by: number0("branch_id"), name: "place.name", names: joined("branch")},
	analyticsv1.ClvSliceBy_CLV_SLICE_BY_REGION:        {by: number0("region_id"), name: "place.name", names: joined("region")},
	analyticsv1.ClvSliceBy_CLV_SLICE_BY_SECTOR:        {by: "toString(sector)", name: "''"},
	analyticsv1.ClvSliceBy_CLV_SLICE_BY_CUSTOMER_KIND: {by: "toString(kind)", name: "''"},
}

// number0 renders an id, and none as nothing.
func number0(column string) string { return "if(" + column + " = 0, '', toString(" + column + "))" }

// joined finds the names of places.
func joined(table string) string {
	return "LEFT JOIN (SELECT toString(" + table + "_id) AS id, name FROM " + table + " FINAL) AS place ON place.id = sums.slice"
}

// moment is a run by its day.
type moment struct {
	id   uuid.UUID
	asOf time.Time
}

// point is a slice in one run.
type point struct {
	slice, name          string
	moment               moment
	customers            uint64
	historic, predictive decimal.Decimal
	expected, alive      float64
}

// days returns a run and those of the days before it with equal settings, the latest first.
func (s store) days(ctx context.Context, r Run, before int) ([]moment, error) {
	out := []moment{{r.ID, r.AsOf}}
	q := query{sql: daysSQL, args: []any{
		named("key", r.SettingsKey), named("as_of", day(r.AsOf)), named("run_id", r.ID.String()), named("limit", before+1),
	}}
	return out, s.each(ctx, "find runs of earlier days", q, func(rows driver.Rows) error {
		var m moment
		if err := rows.Scan(&m.id, &m.asOf); err != nil {
			return err
		}
		if m.asOf.Before(r.AsOf) && len(out) <= before {
			out = append(out, m)
		}
		return nil
	})
}

// slices sums up the customers of some runs, the first of which decides about the order.
func (s store) slices(ctx context.Context, by analyticsv1.ClvSliceBy, moments []moment, limit int) ([]point, error) {
	ids, dates := make([]string, len(moments)), make([]string, len(moments))
	known := map[uuid.UUID]moment{}
	for i, m := range moments {
		ids[i], dates[i], known[m.id] = m.id.String(), day(m.asOf), m
	}
	how := slicings[by]
	q := query{
		sql: strings.NewReplacer("/*by*/", how.by, "/*name*/", how.name, "/*names*/", how.names).Replace(slicesSQL),
		args: []any{
			named("run_ids", ids), named("days", dates), named("run_id", ids[0]), named("limit", limit),
		},
	}
	var out []point
	err := s.each(ctx, "sum up slices", q, func(rows driver.Rows) error {
		var p point
		var id uuid.UUID
		err := rows.Scan(&p.slice, &p.name, &id, &p.customers, &p.historic, &p.predictive, &p.expected, &p.alive)
		p.moment = known[id]
		out = append(out, p)
		return err
	})
	return out, err
}
