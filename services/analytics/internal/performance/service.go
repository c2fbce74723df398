package performance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/shopspring/decimal"
	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/date"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/report"
	"tandem.bank/services/analytics/internal/warehouse"
)

const (
	// segmentsMax bounds the reports that one comparison runs: one for each segment.
	segmentsMax = 100
	// linesMax bounds an answer.
	linesMax = 100_000
	rowsMax  = 10_000_000
	// always is a moment after every version of a plan.
	always = "2299-01-01 00:00:00"
	moment = "2006-01-02 15:04:05.000000"
)

// unit is how the plan and the catalogue name whose figures are compared.
type unit struct{ plan, dimension string }

var units = map[analyticsv1.PlanUnit]unit{
	analyticsv1.PlanUnit_PLAN_UNIT_BANK:     {"bank", ""},
	analyticsv1.PlanUnit_PLAN_UNIT_REGION:   {"region", "region"},
	analyticsv1.PlanUnit_PLAN_UNIT_BRANCH:   {"branch", "branch"},
	analyticsv1.PlanUnit_PLAN_UNIT_MANAGER:  {"manager", "manager"},
	analyticsv1.PlanUnit_PLAN_UNIT_CUSTOMER: {"customer", "customer"},
	analyticsv1.PlanUnit_PLAN_UNIT_SEGMENT:  {"segment", ""},
}

var periods = map[definitionv1.TimeGrain]string{
	definitionv1.TimeGrain_TIME_GRAIN_MONTH: "month", definitionv1.TimeGrain_TIME_GRAIN_QUARTER: "quarter",
	definitionv1.TimeGrain_TIME_GRAIN_YEAR: "year",
}

// Service compares.
type Service struct {
	conn    driver.Conn
	reports *report.Service
}

// New builds the service.
func New(conn driver.Conn, reports *report.Service) *Service { return &Service{conn, reports} }

// key tells figures apart.
type key struct {
	unit  string
	start time.Time
}

// figure is one planned figure.
type figure struct {
	key
	id            uint64
	name          string
	amount        decimal.Decimal
	volume, price *decimal.Decimal
}

// question is a comparison with everything resolved.
type question struct {
	*analyticsv1.CompareWithPlanRequest
	unit     unit
	from, to time.Time
	// currency of the plan's figures; empty for a count.
	currency string
	rate     *decimal.Decimal
	caller   report.Caller
}

// Compare compares a plan with what came of it.
func (s *Service) Compare(
	ctx context.Context, req *analyticsv1.CompareWithPlanRequest, caller report.Caller,
) (*analyticsv1.CompareWithPlanResponse, error) {
	q, out, err := s.resolve(ctx, req, caller)
	if err != nil {
		return nil, err
	}
	planned, err := s.planned(ctx, q)
	if err != nil {
		return nil, err
	}
	if len(planned) == 0 {
		return nil, apperr.NotFound("plan %q has no figures of %s for a %s by %s here",
			req.GetPlan(), req.GetIndicator(), q.unit.plan, periods[req.GetPeriod()])
	}
	actual, err := s.actual(ctx, q, planned)
	if err != nil {
		return nil, err
	}
	for _, f := range planned {
		out.Lines = append(out.Lines, q.line(f, actual[f.key]))
	}
	return out, nil
}

// resolve checks names and finds the currency.
func (s *Service) resolve(
	ctx context.Context, req *analyticsv1.CompareWithPlanRequest, caller report.Caller,
) (*question, *analyticsv1.CompareWithPlanResponse, error) {
	q := &question{CompareWithPlanRequest: req, unit: units[req.GetUnit()], caller: caller}
	var err error
	if q.from, err = date.Field("from", req.GetFrom()); err != nil {
		return nil, nil, err
	}
	if q.to, err = date.Field("to", req.GetTo()); err != nil {
		return nil, nil, err
	}
	if q.from.After(q.to) {
		return nil, nil, apperr.InvalidField("to", "must not be before from")
	}
	if err := s.reports.Check(q.report("", ""), caller.Scope); err != nil {
		return nil, nil, renamed(err)
	}
	inBase := q.report("", "")
	inBase.Currency = ""
	about, err := s.reports.About(ctx, inBase)
	if err != nil {
		return nil, nil, err
	}
	money := s.reports.IsMoney(req.GetIndicator())
	if money {
		if q.currency = req.GetCurrency(); q.currency == "" {
			q.currency = about.GetCurrency()
		}
	}
	if err := q.setRate(about.GetCurrency()); err != nil {
		return nil, nil, err
	}
	if caller.Scope.Limited && (q.unit.dimension == "" || q.unit.dimension == "region") {
		return nil, nil, apperr.New(codes.PermissionDenied, apperr.ReasonPermissionDenied, "you see your branches, and not figures of a %s", q.unit.plan)
	}
	out := &analyticsv1.CompareWithPlanResponse{
		Currency: q.currency, AsOf: req.GetTo(), NewestEventTime: about.GetNewestEventTime(), NewestEventAge: about.GetNewestEventAge(),
	}
	if q.rate != nil {
		out.Currency = about.GetCurrency()
	}
	return q, out, nil
}

func (q *question) setRate(base string) error {
	if q.GetPlannedRate() == "" {
		return nil
	}
	if q.currency == "" || q.currency == base {
		return apperr.InvalidField("planned_rate", "goes only with a currency that is not the base currency")
	}
	rate, err := decimal.NewFromString(q.GetPlannedRate())
	if err != nil || !rate.IsPositive() {
		return apperr.InvalidField("planned_rate", "must be a positive decimal")
	}
	q.rate = &rate
	return nil
}

var fields = strings.NewReplacer("measures[0]", "indicator", "measures[1]", "volume", "measures", "indicator", "dimensions", "unit")

// renamed tells wrong names by the fields of this request.
func renamed(err error) error {
	var known *apperr.Error
	if !errors.As(err, &known) {
		return err
	}
	wrong := slices.Clone(known.Violations)
	for i := range wrong {
		field := strings.TrimPrefix(wrong[i].Field, "query.")
		wrong[i].Field = fields.Replace(field)
	}
	return apperr.Invalid(wrong...)
}

// report is the question for what came of it. segment and currency narrow it.
func (q *question) report(segment, only string) *definitionv1.ReportQuery {
	out := &definitionv1.ReportQuery{
		Measures: []string{q.GetIndicator()}, AsOf: q.GetTo(), Grain: q.GetPeriod(), Limit: rowsMax,
		Period: &definitionv1.ReportPeriod{Kind: &definitionv1.ReportPeriod_Days{Days: &definitionv1.DayRange{From: q.GetFrom(), To: q.GetTo()}}},
	}
	if q.GetVolume() != "" {
		out.Measures = append(out.Measures, q.GetVolume())
	}
	if q.unit.dimension != "" {
		out.Dimensions = []string{q.unit.dimension}
	}
	var conditions []string
	if segment != "" {
		conditions = append(conditions, "segment:"+strconv.Quote(segment))
	}
	if only != "" {
		conditions = append(conditions, "currency = "+strconv.Quote(only))
	} else {
		out.Currency = q.GetCurrency()
	}
	out.Filter = strings.Join(conditions, " AND ")
	return out
}

// planned reads the figures of the plan.
func (s *Service) planned(ctx context.Context, q *question) ([]figure, error) {
	at := always
	if q.GetPlannedAt() != nil {
		at = q.GetPlannedAt().AsTime().UTC().Format(moment)
	}
	args := []any{
		clickhouse.Named("plan", q.GetPlan()), clickhouse.Named("indicator", q.GetIndicator()), clickhouse.Named("unit", q.unit.plan),
		clickhouse.Named("period", periods[q.GetPeriod()]), clickhouse.Named("from", date.Text(q.from)), clickhouse.Named("to", date.Text(q.to)),
		clickhouse.Named("currency", q.currency), clickhouse.Named("at", at), clickhouse.Named("limit", linesMax+1),
	}
	scope := ""
	if q.caller.Scope.Limited {
		scope = " AND p.unit_id IN (" + s.reports.UnitsOfBranches(q.unit.dimension) + ")"
		args = append(args, clickhouse.Named("branches", q.caller.Scope.Branches))
	}
	sql := "SELECT p.unit_id, toString(p.unit_name), " + s.reports.Label(q.unit.dimension, "p.unit_id") + `, p.period_start, p.amount, p.volume, p.price
		FROM plan_value_at(at = {at:DateTime64(6)}) AS p
		WHERE p.name = {plan:String} AND p.indicator = {indicator:String} AND p.unit_kind = {unit:String} AND p.period = {period:String}
			AND p.period_start BETWEEN {from:Date} AND {to:Date} AND p.currency = {currency:String}` + scope + `
		ORDER BY p.period_start, p.unit_id, p.unit_name LIMIT {limit:UInt32}`
	rows, err := s.conn.Query(ctx, sql, args...)
	if err != nil {
		return nil, warehouse.Public(fmt.Errorf("performance: read the plan: %w", err))
	}
	defer func() { _ = rows.Close() }()
	var out []figure
	for rows.Next() {
		var f figure
		var named, label string
		if err := rows.Scan(&f.id, &named, &label, &f.start, &f.amount, &f.volume, &f.price); err != nil {
			return nil, fmt.Errorf("performance: read the plan: %w", err)
		}
		f.unit, f.name = unitKey(q.unit, f.id, named), named+label
		out = append(out, f)
	}
	if len(out) > linesMax {
		return nil, apperr.New(codes.FailedPrecondition, apperr.ReasonListTooLarge, "the plan has more than %d figures here; take fewer periods", linesMax)
	}
	return out, warehouse.Public(rows.Err())
}

func unitKey(u unit, id uint64, name string) string {
	switch u.plan {
	case "bank":
		return ""
	case "segment":
		return name
	default:
		return strconv.FormatUint(id, 10)
	}
}
