package contract

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/shopspring/decimal"
	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/money"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
	"tandem.bank/services/crm/internal/request"
	"tandem.bank/services/crm/internal/sight"
)

// scheduleSource owns the keys of the instalments that Tandem works out itself.
const scheduleSource = "tandem-schedule"

// InstalmentServer answers tandem.crm.v1.InstalmentService.
type InstalmentServer struct {
	crmv1.UnimplementedInstalmentServiceServer
	pool  *pgxpool.Pool
	store *record.Store[*crmv1.Instalment, InstalmentRow]
}

// NewInstalmentServer binds the schedules to their database.
func NewInstalmentServer(pool *pgxpool.Pool, log *slog.Logger) *InstalmentServer {
	return &InstalmentServer{pool: pool, store: record.NewStore(pool, log, record.Room[*crmv1.Instalment, InstalmentRow]{
		Table: InstalmentTable, Name: "instalment", Writable: sight.OwnContract("instalment.contract_id"),
		ToRow: instalmentToRow, Resolved: sameCurrency, ToProto: instalmentToProto, Event: instalmentEvent,
	})}
}

// sameCurrency refuses instalments in another currency than their contract's.
func sameCurrency(ctx context.Context, q record.Querier, rows []*record.Record[InstalmentRow]) ([]error, error) {
	ids := make([]int64, len(rows))
	for i, r := range rows {
		ids[i] = *r.Row.ContractID
	}
	found, err := Table.Select(ctx, q, "contract_id = ANY($1)", ids)
	if err != nil {
		return nil, err
	}
	currencies := make(map[int64]string, len(found))
	for _, c := range found {
		currencies[c.ID] = c.Row.Currency
	}
	errs := make([]error, len(rows))
	for i, r := range rows {
		if currency := currencies[*r.Row.ContractID]; currency != r.Row.Currency {
			errs[i] = apperr.InvalidField("principal", "must be in the currency of the contract, %s", currency)
		}
	}
	return errs, nil
}

// BatchUpsertInstalments creates or changes instalments by external key.
func (s *InstalmentServer) BatchUpsertInstalments(
	ctx context.Context, req *crmv1.BatchUpsertInstalmentsRequest,
) (*crmv1.BatchUpsertInstalmentsResponse, error) {
	results, err := s.store.BatchUpsert(ctx, req.GetInstalments(), record.Batch{ImportID: req.GetImportId(), ValidateOnly: req.GetValidateOnly()})
	return &crmv1.BatchUpsertInstalmentsResponse{Results: results}, err
}

// ListInstalments returns a page of instalments by id.
func (s *InstalmentServer) ListInstalments(ctx context.Context, req *crmv1.ListInstalmentsRequest) (*crmv1.ListInstalmentsResponse, error) {
	page, err := s.store.List(ctx, req, instalmentSchema, record.Scope{})
	if err != nil {
		return nil, err
	}
	return &crmv1.ListInstalmentsResponse{Instalments: page.Items, NextPageToken: page.Next, Count: page.Count}, nil
}

// GeneratePaymentSchedule works out the schedule of a loan and stores it.
func (s *InstalmentServer) GeneratePaymentSchedule(
	ctx context.Context, req *crmv1.GeneratePaymentScheduleRequest,
) (*crmv1.GeneratePaymentScheduleResponse, error) {
	if req.GetValidateOnly() {
		c, err := Table.Get(ctx, s.pool, req.GetContractId())
		if err != nil {
			return nil, err
		}
		return plan(c, req)
	}
	return request.Once(ctx, s.pool, req.GetRequestId(), "generateschedule", req, func(tx pgx.Tx) (*crmv1.GeneratePaymentScheduleResponse, error) {
		c, err := Table.Get(ctx, tx, req.GetContractId())
		if err != nil {
			return nil, err
		}
		planned, err := plan(c, req)
		if err != nil {
			return nil, err
		}
		there, err := InstalmentTable.Select(ctx, tx, "contract_id = $1 LIMIT 1", c.ID)
		if err != nil {
			return nil, err
		}
		if len(there) > 0 {
			return nil, apperr.New(codes.FailedPrecondition, apperr.ReasonFailedPrecondition, "contract %d has a payment schedule already", c.ID)
		}
		planned.Instalments, err = s.store.AddAll(ctx, tx, planned.GetInstalments())
		return planned, err
	})
}

// plan works out the schedule of a contract.
func plan(c *record.Record[Row], req *crmv1.GeneratePaymentScheduleRequest) (*crmv1.GeneratePaymentScheduleResponse, error) {
	t, err := termsOf(c, req)
	if err != nil {
		return nil, err
	}
	portions, err := t.schedule()
	if err != nil {
		return nil, apperr.InvalidField("contract_id", "%s", err)
	}
	answer, interest := &crmv1.GeneratePaymentScheduleResponse{}, decimal.Zero
	for i, p := range portions {
		number := i + 1
		answer.Instalments = append(answer.Instalments, &crmv1.Instalment{
			Key:        &crmv1.ExternalKey{Source: scheduleSource, ExternalId: fmt.Sprintf("%d-%d", c.ID, number)},
			ContractId: c.ID,
			Number:     int32(number),
			Due:        record.DateProto(pgtype.Date{Time: p.due, Valid: true}),
			Principal:  money.Proto(p.principal, c.Row.Currency),
			Interest:   money.Proto(p.interest, c.Row.Currency),
		})
		interest = interest.Add(p.interest)
	}
	answer.InterestTotal = money.Proto(interest, c.Row.Currency)
	return answer, nil
}

// termsOf names every term that a contract lacks for a schedule.
func termsOf(c *record.Record[Row], req *crmv1.GeneratePaymentScheduleRequest) (terms, error) {
	var in record.Reader
	firstDue := in.Date("first_due", req.GetFirstDue())
	missing := func(what string) { in.Refuse("contract_id", "the contract has no "+what) }
	if !c.Row.Amount.Valid || !c.Row.Amount.Decimal.IsPositive() {
		missing("amount")
	}
	if !c.Row.AnnualRate.Valid || c.Row.AnnualRate.Decimal.IsNegative() {
		missing("annual_rate")
	}
	if c.Row.DurationMonths == 0 {
		missing("duration_months")
	}
	if !c.Row.Opened.Valid {
		missing("opened")
	}
	if firstDue.Valid && c.Row.Opened.Valid && !firstDue.Time.After(c.Row.Opened.Time) {
		in.Refuse("first_due", "must be after the contract began")
	}
	if !firstDue.Valid && c.Row.Opened.Valid {
		firstDue.Time = monthsLater(c.Row.Opened.Time, 1)
	}
	t := terms{
		principal: c.Row.Amount.Decimal, rate: c.Row.AnnualRate.Decimal, months: int(c.Row.DurationMonths),
		from: c.Row.Opened.Time, firstDue: firstDue.Time, dayCount: req.GetDayCount(), places: money.Places(c.Row.Currency),
	}
	if t.dayCount == crmv1.DayCount_DAY_COUNT_UNSPECIFIED {
		t.dayCount = record.EnumValue[crmv1.DayCount](c.Row.DayCount)
	}
	return t, in.Err()
}
