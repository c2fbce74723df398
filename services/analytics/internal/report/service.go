package report

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/date"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/warehouse"
)

const (
	// secondsMax is the longest that a statement may take.
	secondsMax = 600
	// KeyBytes is the shortest length of the key of tokens.
	KeyBytes = 32
)

// ReasonPivotTooWide is the reason of FAILED_PRECONDITION when a pivot has too many values or columns.
const ReasonPivotTooWide = "PIVOT_TOO_WIDE"

// Config is what reports need.
type Config struct {
	Warehouse driver.Conn
	Catalogue *Catalogue
	// NewestChange tells the change time of the newest change in the warehouse.
	NewestChange func() time.Time
	// TimeZone of the bank, which decides what day is today.
	TimeZone *time.Location
	// Key signs the tokens of cells; empty makes one, and tokens end with the process.
	Key []byte
	// KeepFor is how long answers are kept whose first row took KeepSlower or longer; 0 keeps none.
	KeepFor, KeepSlower time.Duration
	Logger              *slog.Logger
}

// Validate names what is missing.
func (c Config) Validate() error {
	if c.Warehouse == nil || c.Catalogue == nil || c.NewestChange == nil || c.TimeZone == nil || c.Logger == nil {
		return errors.New("report: warehouse, catalogue, newest change, time zone and logger are required")
	}
	if len(c.Key) != 0 && len(c.Key) < KeyBytes {
		return fmt.Errorf("report: the key of tokens needs %d bytes", KeyBytes)
	}
	return nil
}

// Service runs reports.
type Service struct {
	conn         driver.Conn
	catalogue    *Catalogue
	newestChange func() time.Time
	timeZone     *time.Location
	signer       signer
	kept         *keeper
	log          *slog.Logger
	// base keeps the base currency once it is known: a bank has one for good.
	base atomic.Pointer[string]
}

// New builds the service.
func New(c Config) (*Service, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if len(c.Key) == 0 {
		c.Key = make([]byte, KeyBytes)
		if _, err := rand.Read(c.Key); err != nil {
			return nil, err
		}
	}
	kept, err := newKeeper(c.KeepFor, c.KeepSlower)
	if err != nil {
		return nil, err
	}
	return &Service{
		conn: c.Warehouse, catalogue: c.Catalogue, newestChange: c.NewestChange, timeZone: c.TimeZone,
		signer: signer{c.Key}, kept: kept, log: c.Logger.With("component", "report"),
	}, nil
}

// Caller is who asks.
type Caller struct {
	// ID tells callers apart; tokens of cells are good only for the caller whom they were given to.
	ID    string
	Scope Scope
}

// Sink takes a report: the header, then rows.
type Sink interface {
	Header(*analyticsv1.ReportHeader) error
	Rows([]*analyticsv1.ReportRow) error
}

// Today is the day in the bank's zone.
func (s *Service) Today() time.Time {
	now := time.Now().In(s.timeZone)
	return time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.UTC)
}

// Check compiles a question without running it, and reports what is wrong with it for somebody who may see the scope.
func (s *Service) Check(q *definitionv1.ReportQuery, scope Scope) error {
	_, err := s.prepare(q, scope, nil)
	return err
}

// About tells what a report of a question would be of: its days, its currency, and how new the data are.
func (s *Service) About(ctx context.Context, q *definitionv1.ReportQuery) (*analyticsv1.ReportHeader, error) {
	p, err := s.prepare(q, Scope{}, nil)
	if err != nil {
		return nil, err
	}
	return s.about(ctx, p, s.moment())
}

// IsMoney reports whether a measure is an amount of money.
func (s *Service) IsMoney(measure string) bool {
	m := s.catalogue.Measure(measure)
	return m != nil && m.Unit == unitMoney
}

// Label is the expression that finds the title of a dimension's id in a column; a dimension without titles has the empty text.
func (s *Service) Label(dimension, column string) string {
	if label := s.catalogue.label(s.catalogue.Dimension(dimension), column); label != "" {
		return label
	}
	return "''"
}

// UnitsOfBranches selects the ids of a dimension (branch, manager or customer) that belong to {branches:Array(UInt64)}.
func (s *Service) UnitsOfBranches(dimension string) string {
	switch dimension {
	case dimensionBranch:
		return "SELECT arrayJoin({branches:Array(UInt64)})"
	case "manager":
		return "SELECT manager_id FROM " + s.catalogue.database + ".dim_manager WHERE branch_id IN {branches:Array(UInt64)}"
	default:
		return "SELECT customer_id FROM " + s.catalogue.database + ".dim_customer WHERE branch_id IN {branches:Array(UInt64)}"
	}
}

// prepare finds the names of a question, and sets its as_of.
func (s *Service) prepare(q *definitionv1.ReportQuery, scope Scope, at []coordinate) (*plan, error) {
	asOf, err := date.Field("query.as_of", q.GetAsOf())
	if err != nil {
		return nil, err
	}
	if asOf.IsZero() {
		asOf = s.Today()
	}
	q = cloneQuery(q)
	q.AsOf = date.Proto(asOf)
	p, err := newPlan(s.catalogue, q, asOf, scope)
	if err != nil {
		return nil, err
	}
	p.coordinates = at
	if !p.needsBeginning() {
		return p, p.setPeriod(p.period)
	}
	return p, nil
}

// needsBeginning reports whether the period has none, and values at the ends of its cuts are asked for.
func (p *plan) needsBeginning() bool {
	return p.period.from.IsZero() && p.grain != 0 && !p.compared() &&
		slices.ContainsFunc(p.facts(), func(f *Fact) bool { return f.Over != overFlow })
}

// begin finds the first day of the facts for a period that has no beginning.
func (s *Service) begin(ctx context.Context, p *plan) error {
	if !p.needsBeginning() {
		return nil
	}
	first := p.asOf
	for _, f := range p.facts() {
		b := newBinder()
		day := b.bind(f.DayType, p.asOf.Format(time.DateOnly))
		sql := fmt.Sprintf("SELECT toDate32(min(%[1]s)) FROM %[2]s AS f WHERE %[1]s <= %[3]s AND %[1]s > '1970-01-01'", f.Day, f.rows(), day)
		var found *time.Time
		if err := s.conn.QueryRow(s.settings(ctx), sql, b.values...).Scan(&found); err != nil {
			return warehouse.Public(fmt.Errorf("report: find the first day of %s: %w", f.Name, err))
		}
		if found != nil && found.Year() > 1970 && found.Before(first) {
			first = date.Day(*found)
		}
	}
	return p.setPeriod(span{first, p.period.to})
}

// settings hold each statement to its time and make days before 1970 what they are.
func (s *Service) settings(ctx context.Context) context.Context {
	return clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{
		"max_execution_time":                             secondsMax,
		"enable_extended_results_for_datetime_functions": 1,
		"do_not_merge_across_partitions_select_final":    1,
		// Views that several facts are rows of are read once.
		"enable_materialized_cte": 1,
	}))
}

// KeepFor is how long answers are kept that took long to compute.
func (s *Service) KeepFor() time.Duration { return s.kept.age }

// Run answers a question, by an answer that was kept if one is at most so old.
func (s *Service) Run(
	ctx context.Context, q *definitionv1.ReportQuery, caller Caller, maxAge time.Duration, to Sink,
) (*analyticsv1.ReportEnd, error) {
	p, err := s.prepare(q, caller.Scope, nil)
	if err != nil {
		return nil, err
	}
	key, err := answerKey(p.query, caller.Scope)
	if err != nil {
		return nil, err
	}
	if kept := s.kept.find(key, maxAge); kept != nil {
		return s.tellAgain(ctx, p, kept, caller, to)
	}
	r, end, err := s.run(ctx, p, caller, to)
	if err == nil {
		r.keep(key, end)
	}
	return end, err
}

// run asks the warehouse.
func (s *Service) run(ctx context.Context, p *plan, caller Caller, to Sink) (*recorder, *analyticsv1.ReportEnd, error) {
	r := &recorder{keeper: s.kept, kept: keptReport{of: s.moment()}}
	if err := s.begin(ctx, p); err != nil {
		return nil, nil, err
	}
	limit := int(p.query.GetLimit())
	if limit == 0 {
		limit = limitDefault
	}
	b := p.binder()
	found, err := s.query(ctx, p.statement(b, limit+1), b)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = found.Close() }()
	// The values of a pivot come with the first row.
	begun := p.pivot != nil && found.Next()
	if err := found.Err(); err != nil {
		return nil, nil, warehouse.Public(fmt.Errorf("report: %w", err))
	}
	pivot, err := pivotOf(p, found, begun)
	if err != nil {
		return nil, nil, err
	}
	r.kept.period, r.kept.pivot = p.period, pivot
	if r.decoder, err = s.open(ctx, p, pivot, r.kept.of, caller, to); err != nil {
		return nil, nil, err
	}
	end, err := send(found, begun, r, limit, to)
	return r, end, err
}

// open sends the head of a report, and returns what makes its rows.
func (s *Service) open(ctx context.Context, p *plan, pivot []pivotValue, of moment, caller Caller, to Sink) (*decoder, error) {
	report, err := s.signer.report(p, caller)
	if err != nil {
		return nil, err
	}
	header, err := s.header(ctx, p, pivot, of)
	if err != nil {
		return nil, err
	}
	header.ReportToken = report.text
	return newDecoder(p, pivot, report), to.Header(header)
}

// query asks the warehouse.
func (s *Service) query(ctx context.Context, sql string, b *binder) (driver.Rows, error) {
	found, err := s.conn.Query(s.settings(ctx), sql, b.values...)
	if err != nil {
		return nil, warehouse.Public(fmt.Errorf("report: %w", err))
	}
	return found, nil
}

// stream sends the rows of a statement.
func (s *Service) stream(ctx context.Context, sql string, b *binder, d rowDecoder, limit int, to Sink) (*analyticsv1.ReportEnd, error) {
	found, err := s.query(ctx, sql, b)
	if err != nil {
		return nil, err
	}
	defer func() { _ = found.Close() }()
	return send(found, false, d, limit, to)
}

// send sends rows, from the present one on where reading has begun.
func send(found driver.Rows, begun bool, d rowDecoder, limit int, to Sink) (*analyticsv1.ReportEnd, error) {
	end, send := &analyticsv1.ReportEnd{}, &sender{to: to}
	defer send.leave()
	for ; begun || found.Next(); begun = false {
		if end.Rows == int64(limit) {
			end.Truncated = true
			break
		}
		row, err := d.decode(found)
		if err != nil {
			return nil, fmt.Errorf("report: %w", err)
		}
		end.Rows++
		if err := send.row(row); err != nil {
			return nil, err
		}
	}
	if err := found.Err(); err != nil {
		return nil, warehouse.Public(fmt.Errorf("report: %w", err))
	}
	return end, send.end()
}

func (p *plan) binder() *binder {
	b := newBinder()
	b.set("as_of", p.asOf.Format(time.DateOnly))
	return b
}

// pivotValue is one value of the pivot.
type pivotValue struct{ key, label string }

// pivotOf reads the values that become columns from the first row, if there is one.
func pivotOf(p *plan, found driver.Rows, begun bool) ([]pivotValue, error) {
	if !begun {
		return nil, nil
	}
	d := newDecoder(p, nil, nil)
	if err := found.Scan(d.targets...); err != nil {
		return nil, fmt.Errorf("report: values of the pivot: %w", err)
	}
	out := make([]pivotValue, len(d.wide.pivot))
	for i, key := range d.wide.pivot {
		out[i] = pivotValue{key, d.wide.titles[i]}
	}
	if width := (len(out) + 1) * len(p.values()); len(out) > pivotValuesMax || width > columnsMax {
		return nil, apperr.New(codes.FailedPrecondition, ReasonPivotTooWide,
			"query.pivot: %s has more than %d values here, or makes more than %d columns; filter it, or take it as a dimension",
			p.pivot.Name, pivotValuesMax, columnsMax)
	}
	return out, nil
}
