package clv

import (
	"cmp"
	"context"
	_ "embed" // the SQL files
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	"tandem.bank/services/analytics/internal/warehouse"
)

var (
	//go:embed sql/days.sql
	daysSQL string
	//go:embed sql/slices.sql
	slicesSQL string
	//go:embed sql/goals.sql
	goalsSQL string
)

// slicing says how a slice is found and what it is called.
type slicing struct {
	by, name, names string
	// from joins what the slice is found by beside the value itself.
	from string
	// unit is the kind of unit in plans; empty when plans know none such.
	unit string
}

var slicings = map[analyticsv1.ClvSliceBy]slicing{
	analyticsv1.ClvSliceBy_CLV_SLICE_BY_UNSPECIFIED:   {by: "''", name: "''", unit: "bank"},
	analyticsv1.ClvSliceBy_CLV_SLICE_BY_MANAGER:       {by: number0("manager_id"), name: "''", unit: "manager"},
	analyticsv1.ClvSliceBy_CLV_SLICE_BY_BRANCH:        {by: number0("branch_id"), name: "place.name", names: joined("branch"), unit: "branch"},
	analyticsv1.ClvSliceBy_CLV_SLICE_BY_REGION:        {by: number0("region_id"), name: "place.name", names: joined("region"), unit: "region"},
	analyticsv1.ClvSliceBy_CLV_SLICE_BY_SECTOR:        {by: "toString(sector)", name: "''", unit: "sector"},
	analyticsv1.ClvSliceBy_CLV_SLICE_BY_CUSTOMER_KIND: {by: "toString(kind)", name: "''"},
	analyticsv1.ClvSliceBy_CLV_SLICE_BY_RFM_SEGMENT: {
		by: "toString(segment_of.segment)", name: "''", unit: "segment",
		from: "LEFT JOIN segment_of ON segment_of.customer_id = clv_value.customer_id AND segment_of.day = clv_value.as_of",
	},
	analyticsv1.ClvSliceBy_CLV_SLICE_BY_CAMPAIGN: {
		by: "toString(campaign_of.newest)", name: "''", unit: "campaign",
		from: "LEFT JOIN campaign_of ON campaign_of.customer_id = clv_value.customer_id AND campaign_of.day = clv_value.as_of",
	},
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
	// predictive is the sum of all values.
	predictive decimal.Decimal
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
	out := []moment{{r.ID, r.AsOf, r.Predictive}}
	q := warehouse.Query{SQL: daysSQL, Args: []any{
		named("key", r.SettingsKey), named("as_of", day(r.AsOf)), named("run_id", r.ID.String()), named("limit", before+1),
	}}
	err := s.Each(ctx, "find runs of earlier days", q, func(rows driver.Rows) error {
		var m moment
		if err := rows.Scan(&m.id, &m.asOf, &m.predictive); err != nil {
			return err
		}
		if m.asOf.Before(r.AsOf) && len(out) <= before {
			out = append(out, m)
		}
		return nil
	})
	return out, err
}

// slices sums up the customers of some runs, the first of which decides about the order.
func (s store) slices(ctx context.Context, by analyticsv1.ClvSliceBy, moments []moment, limit int) ([]point, error) {
	ids, dates := make([]string, len(moments)), make([]string, len(moments))
	known := map[uuid.UUID]moment{}
	for i, m := range moments {
		ids[i], dates[i], known[m.id] = m.id.String(), day(m.asOf), m
	}
	how := slicings[by]
	q := warehouse.Query{
		SQL: strings.NewReplacer("/*by*/", how.by, "/*name*/", how.name, "/*from*/", how.from, "/*names*/", how.names).Replace(slicesSQL),
		Args: []any{
			named("run_ids", ids), named("days", dates), named("run_id", ids[0]), named("limit", limit),
		},
	}
	var out []point
	err := s.Each(ctx, "sum up slices", q, func(rows driver.Rows) error {
		var p point
		var id uuid.UUID
		err := rows.Scan(&p.slice, &p.name, &id, &p.customers, &p.historic, &p.predictive, &p.expected, &p.alive)
		p.moment = known[id]
		out = append(out, p)
		return err
	})
	return out, err
}

// goalKey names a goal: the slice and the day.
type goalKey struct{ slice, day string }

// indicatorDefault is the indicator of plans that is the goal of the predictive value.
const indicatorDefault = "clv"

// goals reads what a plan wants of slices on the days of some runs.
func (s store) goals(ctx context.Context, r Run, req *analyticsv1.GetClvSlicesRequest, moments []moment) (map[goalKey]decimal.Decimal, error) {
	out := map[goalKey]decimal.Decimal{}
	unit := slicings[req.GetBy()].unit
	if req.GetPlan() == "" || unit == "" {
		return out, nil
	}
	dates := make([]string, len(moments))
	for i, m := range moments {
		dates[i] = day(m.asOf)
	}
	q := warehouse.Query{SQL: goalsSQL, Args: []any{
		named("plan", req.GetPlan()), named("indicator", cmp.Or(req.GetIndicator(), indicatorDefault)), named("unit", unit),
		named("currency", r.BaseCurrency), named("days", dates),
	}}
	return out, s.Each(ctx, "read goals", q, func(rows driver.Rows) error {
		var slice string
		var asOf time.Time
		var goal decimal.Decimal
		err := rows.Scan(&slice, &asOf, &goal)
		out[goalKey{slice, day(asOf)}] = goal
		return err
	})
}
