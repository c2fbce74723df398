package plan

import (
	"context"
	_ "embed" // the SQL file
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/filter"
	"tandem.bank/pkg/page"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/listing"
	"tandem.bank/services/crm/internal/record"
	"tandem.bank/services/crm/internal/sight"
)

//go:embed values.sql
var valuesSQL string

// Server answers tandem.crm.v1.PlanService.
type Server struct {
	crmv1.UnimplementedPlanServiceServer
	pool *pgxpool.Pool
}

// NewServer binds the room to its database.
func NewServer(pool *pgxpool.Pool) *Server { return &Server{pool: pool} }

var unitKinds = []string{bank, region, branch, manager, customer, segment, sector, campaign}

var schema = filter.Schema{
	{Name: "indicator", Column: "indicator", Kind: filter.Text, Required: true},
	{Name: "unit_kind", Column: "unit_kind", Kind: filter.Enum, Values: unitKinds, Required: true},
	{Name: "unit_id", Column: "unit_id", Kind: filter.Int, Required: true},
	{Name: "unit_name", Column: "unit_name", Kind: filter.Text, Required: true},
	{Name: "period", Column: "period", Kind: filter.Enum, Values: record.EnumTexts[crmv1.PlanPeriod](), Required: true},
	{Name: "period_start", Column: "period_start", Kind: filter.Date, Required: true},
	{Name: "currency", Column: "currency", Kind: filter.Text, Required: true},
	{Name: "amount", Column: "amount", Kind: filter.Decimal, Required: true},
}

// belongs shows figures of customers to those who see the customers, and all others to everybody.
var belongs = sight.Any(sight.Unset("plan_value.customer_id"), sight.ByCustomer("plan_value.customer_id"))

// ImportPlan takes in the figures of a stream.
func (s *Server) ImportPlan(stream grpc.ClientStreamingServer[crmv1.ImportPlanRequest, crmv1.ImportPlanResponse]) error {
	first, err := stream.Recv()
	if err != nil || first.GetHeader() == nil {
		if err == nil || errors.Is(err, io.EOF) {
			err = errNoHeader()
		}
		return err
	}
	i := &importing{header: first.GetHeader()}
	err = pgx.BeginFunc(stream.Context(), s.pool, func(tx pgx.Tx) error {
		i.tx = tx
		return i.run(stream, first.GetRows())
	})
	if err != nil && !errors.Is(err, errTrial) {
		return err
	}
	return stream.SendAndClose(i.answer)
}

// run takes in the rows of the first message, and reads the stream to its end.
func (i *importing) run(stream grpc.ClientStreamingServer[crmv1.ImportPlanRequest, crmv1.ImportPlanResponse], first []*crmv1.PlanImportRow) error {
	ctx := stream.Context()
	done, err := i.begin(ctx)
	if err != nil {
		return err
	}
	if !done {
		if err := i.take(ctx, first); err != nil {
			return err
		}
	}
	for {
		req, err := stream.Recv()
		switch {
		case errors.Is(err, io.EOF) && done:
			return nil
		case errors.Is(err, io.EOF):
			return i.end(ctx)
		case err != nil:
			return err
		case req.GetHeader() != nil:
			return errNoHeader()
		case done:
			continue // what was imported before is read to its end, and changes nothing
		}
		if err := i.take(ctx, req.GetRows()); err != nil {
			return err
		}
	}
}

const (
	planColumns = "plan_id, name, title, plan_version, created_at, updated_at"
	selectPlan  = "SELECT " + planColumns + " FROM plan WHERE "
)

// plan is a row of the table.
type plan struct {
	ID        int64
	Name      string
	Title     string
	Version   int64
	CreatedAt time.Time
	UpdatedAt time.Time
}

func (p *plan) toProto() *crmv1.Plan {
	return &crmv1.Plan{
		PlanId: p.ID, Name: p.Name, Title: p.Title, Version: p.Version, CreateTime: timestamppb.New(p.CreatedAt), UpdateTime: timestamppb.New(p.UpdatedAt),
	}
}

func (s *Server) find(ctx context.Context, name string) (*plan, error) {
	rows, err := s.pool.Query(ctx, selectPlan+"name = $1", name)
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByPos[plan])
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, notFound(name)
	}
	return found, err
}

// GetPlan returns a plan.
func (s *Server) GetPlan(ctx context.Context, req *crmv1.GetPlanRequest) (*crmv1.GetPlanResponse, error) {
	found, err := s.find(ctx, req.GetName())
	if err != nil {
		return nil, err
	}
	return &crmv1.GetPlanResponse{Plan: found.toProto()}, nil
}

var planSchema = filter.Schema{
	{Name: "plan_id", Column: "plan_id", Kind: filter.Int, Required: true, Indexed: true},
	{Name: "name", Column: "name", Kind: filter.Text, Required: true, Indexed: true},
	{Name: "title", Column: "title", Kind: filter.Text},
	{Name: "version", Column: "plan_version", Kind: filter.Int, Required: true},
	{Name: "create_time", Column: "created_at", Kind: filter.Time, Required: true},
	{Name: "update_time", Column: "updated_at", Kind: filter.Time, Required: true},
}

// ListPlans returns a page of plans, by name unless told otherwise.
func (s *Server) ListPlans(ctx context.Context, req *crmv1.ListPlansRequest) (*crmv1.ListPlansResponse, error) {
	list := &listing.Rows[*plan]{
		Table: "plan", Columns: planColumns, ID: "plan_id", IDOf: func(p *plan) int64 { return p.ID }, Order: "name", Schema: planSchema,
		Scanner: func(more ...any) func(pgx.CollectableRow) (*plan, error) {
			return func(row pgx.CollectableRow) (*plan, error) {
				var p plan
				return &p, row.Scan(append([]any{&p.ID, &p.Name, &p.Title, &p.Version, &p.CreatedAt, &p.UpdatedAt}, more...)...)
			}
		},
	}
	found, err := list.List(ctx, s.pool, req)
	if err != nil {
		return nil, err
	}
	answer := &crmv1.ListPlansResponse{NextPageToken: found.Next, Count: found.Count}
	for _, p := range found.Items {
		answer.Plans = append(answer.Plans, p.toProto())
	}
	return answer, nil
}

var versionSchema = filter.Schema{
	{Name: "version", Column: "plan_version", Kind: filter.Int, Required: true, Indexed: true},
	{Name: "create_time", Column: "created_at", Kind: filter.Time, Required: true},
	{Name: "author", Column: "author", Kind: filter.Text, Required: true},
	{Name: "note", Column: "note", Kind: filter.Text},
	{Name: "values", Column: "changed", Kind: filter.Int, Required: true},
}

// ListPlanVersions returns a page of versions, the newest first unless told otherwise.
func (s *Server) ListPlanVersions(ctx context.Context, req *crmv1.ListPlanVersionsRequest) (*crmv1.ListPlanVersionsResponse, error) {
	list := &listing.Rows[*crmv1.PlanVersion]{
		Table: "plan_version", Columns: "plan_version, created_at, author, note, changed", ID: "version", IDOf: (*crmv1.PlanVersion).GetVersion,
		Condition: "plan_id = (SELECT plan_id FROM plan WHERE name = $1)", Args: []any{req.GetName()}, Order: "version desc",
		Schema: versionSchema, Scanner: scanVersion,
	}
	found, err := list.List(ctx, s.pool, req)
	if err == nil && len(found.Items) == 0 {
		_, err = s.find(ctx, req.GetName())
	}
	if err != nil {
		return nil, err
	}
	return &crmv1.ListPlanVersionsResponse{Versions: found.Items, NextPageToken: found.Next, Count: found.Count}, nil
}

// scanVersion reads what an import changed.
func scanVersion(more ...any) func(pgx.CollectableRow) (*crmv1.PlanVersion, error) {
	return func(row pgx.CollectableRow) (*crmv1.PlanVersion, error) {
		var v crmv1.PlanVersion
		var at time.Time
		err := row.Scan(append([]any{&v.Version, &at, &v.Author, &v.Note, &v.Values}, more...)...)
		v.CreateTime = timestamppb.New(at)
		return &v, err
	}
}

// place is where a page of figures ended, in which version.
type place struct {
	Version   int64  `json:"v"`
	Indicator string `json:"i"`
	Kind      string `json:"k"`
	ID        int64  `json:"d"`
	Name      string `json:"n"`
	Period    string `json:"p"`
	Start     string `json:"s"`
	Currency  string `json:"c"`
}

// ListPlanValues returns a page of figures; all pages are of the version of the first.
func (s *Server) ListPlanValues(ctx context.Context, req *crmv1.ListPlanValuesRequest) (*crmv1.ListPlanValuesResponse, error) {
	parameters := []string{"plan_value", req.GetName(), fmt.Sprint(req.GetVersion()), req.GetAsOf().String(), req.GetFilter()}
	after, err := page.Decode[place](req.GetPageToken(), parameters...)
	if err != nil {
		return nil, err
	}
	size := page.Size(req.GetPageSize())
	args := []any{nil, nil, nil, "", 0, "", "", nil, "", size + 1}
	if after != nil {
		copy(args[2:], []any{after.Indicator, after.Kind, after.ID, after.Name, after.Period, after.Start, after.Currency})
	}
	where, args, err := filter.Postgres(req.GetFilter(), schema, args)
	if err != nil {
		return nil, err
	}
	of, err := s.find(ctx, req.GetName())
	if err != nil {
		return nil, err
	}
	answer := &crmv1.ListPlanValuesResponse{}
	if after != nil {
		answer.Version = after.Version
	} else if answer.Version, err = s.versionOf(ctx, of, req); err != nil {
		return nil, err
	}
	args[0], args[1] = of.ID, answer.GetVersion()
	if seen, bound := sight.Condition(ctx, belongs, args); seen != "" {
		where, args = fmt.Sprintf("(%s) AND %s", where, seen), bound
	}
	rows, err := s.pool.Query(ctx, strings.Replace(valuesSQL, "/*where*/", where, 1), args...)
	if err != nil {
		return nil, err
	}
	return answer, s.fill(answer, rows, size, parameters)
}

// fill reads the rows of a page, and makes the token of the next.
func (s *Server) fill(answer *crmv1.ListPlanValuesResponse, rows pgx.Rows, size int, parameters []string) error {
	var v value
	var set int64
	targets := []any{
		&v.UnitKind, &v.UnitID, &v.UnitName, &v.Indicator, &v.Period, &v.PeriodStart, &v.Currency, &v.Amount, &v.Volume, &v.Price, &v.Withdrawn, &set,
	}
	var last place
	more := false
	_, err := pgx.ForEachRow(rows, targets, func() error {
		if more = len(answer.GetValues()) == size; more {
			return nil
		}
		answer.Values = append(answer.Values, v.toProto(set))
		last = place{answer.GetVersion(), v.Indicator, v.UnitKind, v.UnitID, v.UnitName, v.Period, record.DateText(v.PeriodStart), v.Currency}
		return nil
	})
	if err == nil && more {
		answer.NextPageToken, err = page.Encode(last, parameters...)
	}
	return err
}

// versionOf is the version that a request names.
func (s *Server) versionOf(ctx context.Context, of *plan, req *crmv1.ListPlanValuesRequest) (int64, error) {
	switch {
	case req.GetVersion() > of.Version:
		return 0, noVersion(of.Name, req.GetVersion())
	case req.GetVersion() != 0:
		return req.GetVersion(), nil
	case req.GetAsOf() == nil:
		return of.Version, nil
	}
	var at int64
	err := s.pool.QueryRow(ctx, "SELECT coalesce(max(plan_version), 0) FROM plan_version WHERE plan_id = $1 AND created_at <= $2",
		of.ID, req.GetAsOf().AsTime()).Scan(&at)
	return at, err
}
