package transaction

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/shopspring/decimal"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/money"
	"tandem.bank/pkg/page"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/account"
	"tandem.bank/services/crm/internal/record"
)

//go:embed history.sql
var historySQL string

// known balance of a day.
type dayBalance struct {
	day    time.Time
	ledger decimal.Decimal
}

// Balances returns a page of an account's balances by day, newest first.
func (l *Ledger) Balances(ctx context.Context, req *crmv1.ListBalancesRequest) ([]*crmv1.DayBalance, string, error) {
	var in record.Reader
	from, to := in.Date("from", req.GetFrom()), in.Date("to", req.GetTo())
	in.NotBefore("to", to, "from", from)
	if err := in.Err(); err != nil {
		return nil, "", err
	}
	parameters := []string{"balance", fmt.Sprint(req.GetAccountId()), record.DateText(from), record.DateText(to)}
	after, err := page.Decode[time.Time](req.GetPageToken(), parameters...)
	if err != nil {
		return nil, "", err
	}
	a, err := account.Table.Get(ctx, l.pool, req.GetAccountId())
	if err != nil {
		return nil, "", err
	}
	today, err := record.BankDay(ctx, l.pool, time.Now())
	if err != nil {
		return nil, "", err
	}
	last := today.Time
	if to.Valid && to.Time.Before(last) {
		last = to.Time
	}
	if after != nil {
		last = after.AddDate(0, 0, -1)
	}
	first := last.AddDate(0, 0, 1-page.Size(req.GetPageSize()))
	whole := from.Valid && !first.After(from.Time)
	if whole {
		first = from.Time
	}
	known, err := l.known(ctx, req.GetAccountId(), first, last)
	if err != nil {
		return nil, "", err
	}
	days := carried(known, first, last, a.Row.Currency)
	if whole || len(days) == 0 || !known[len(known)-1].day.Before(first) {
		return days, "", nil
	}
	next, err := page.Encode(first, parameters...)
	return days, next, err
}

func (l *Ledger) known(ctx context.Context, id int64, first, last time.Time) ([]dayBalance, error) {
	if last.Before(first) {
		return nil, apperr.InvalidField("from", "lies in the future")
	}
	rows, err := l.pool.Query(ctx, historySQL, id, first, last)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (d dayBalance, err error) {
		return d, row.Scan(&d.day, &d.ledger)
	})
}

// carried gives each day from the last to the first the newest balance known until then; known is newest first.
func carried(known []dayBalance, first, last time.Time, currency string) []*crmv1.DayBalance {
	var days []*crmv1.DayBalance
	for day := last; !day.Before(first); day = day.AddDate(0, 0, -1) {
		for len(known) > 0 && known[0].day.After(day) {
			known = known[1:]
		}
		if len(known) == 0 {
			break
		}
		days = append(days, &crmv1.DayBalance{
			BusinessDate: record.DateProto(pgtype.Date{Time: day, Valid: true}),
			Ledger:       money.Proto(known[0].ledger, currency),
			StatedDate:   record.DateProto(pgtype.Date{Time: known[0].day, Valid: true}),
		})
	}
	return days
}

// BalanceServer answers tandem.crm.v1.BalanceService.
type BalanceServer struct {
	crmv1.UnimplementedBalanceServiceServer
	ledger *Ledger
}

// NewBalanceServer serves the balances of a ledger.
func NewBalanceServer(ledger *Ledger) *BalanceServer { return &BalanceServer{ledger: ledger} }

// BatchUpsertBalances takes in statements of balances.
func (s *BalanceServer) BatchUpsertBalances(
	ctx context.Context, req *crmv1.BatchUpsertBalancesRequest,
) (*crmv1.BatchUpsertBalancesResponse, error) {
	results, err := s.ledger.State(ctx, req.GetBalances(), req.GetValidateOnly())
	return &crmv1.BatchUpsertBalancesResponse{Results: results}, err
}

// ListBalances returns a page of an account's balances by day.
func (s *BalanceServer) ListBalances(ctx context.Context, req *crmv1.ListBalancesRequest) (*crmv1.ListBalancesResponse, error) {
	if err := account.Table.MustSee(ctx, s.ledger.pool, req.GetAccountId()); err != nil {
		return nil, err
	}
	balances, next, err := s.ledger.Balances(ctx, req)
	return &crmv1.ListBalancesResponse{Balances: balances, NextPageToken: next}, err
}
