package transaction

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/shopspring/decimal"
	moneypb "google.golang.org/genproto/googleapis/type/money"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/check"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/account"
	"tandem.bank/services/crm/internal/record"
)

// statement is what a core system says about an account, on its way in.
type statement struct {
	accountID *int64
	refs      []record.Reference
	asOf      *time.Time
	day       pgtype.Date
	// closing says that it was stated after its day.
	closing                 bool
	currency                string
	ledger, available, held decimal.NullDecimal
	availableIn, heldIn     string
	outcome                 crmv1.UpsertOutcome
	err                     error
}

func readStatement(m *crmv1.AccountBalance, now time.Time) *statement {
	var in record.Reader
	s := &statement{asOf: in.Time("as_of_time", m.GetAsOfTime()), day: in.Date("business_date", m.GetBusinessDate())}
	if s.asOf != nil && s.asOf.After(now) {
		in.Refuse("as_of_time", "must not lie in the future")
	}
	s.ledger, s.currency = in.Money("ledger", m.GetLedger())
	s.available, s.availableIn = in.Money("available", m.GetAvailable())
	s.held, s.heldIn = in.Money("held", m.GetHeld())
	if s.held.Decimal.IsNegative() {
		in.Refuse("held", "must not be negative")
	}
	same := func(field string, m *moneypb.Money) {
		if m != nil && m.GetCurrencyCode() != s.currency {
			in.Refuse(field, "must be in the currency of ledger, "+s.currency)
		}
	}
	same("available", m.GetAvailable())
	same("held", m.GetHeld())
	in.Need("account_id", m.GetAccountId(), m.GetAccountKey())
	s.refs = []record.Reference{record.Ref("account_id", account.Table, m.GetAccountId(), m.GetAccountKey(), &s.accountID)}
	s.err = apperr.Invalid(append(check.Message(m), in.Violations...)...)
	return s
}

// State takes in statements of balances in one transaction; what is wrong with one is in its result.
func (l *Ledger) State(ctx context.Context, messages []*crmv1.AccountBalance, validateOnly bool) ([]*crmv1.UpsertResult, error) {
	statements, err := l.readStatements(ctx, messages)
	if err != nil {
		return nil, err
	}
	err = pgx.BeginFunc(ctx, l.pool, func(tx pgx.Tx) error {
		written, err := placeStatements(ctx, tx, statements)
		if err != nil {
			return err
		}
		if validateOnly {
			return errRollback
		}
		return publishStatements(ctx, tx, written)
	})
	if err != nil && !errors.Is(err, errRollback) {
		return nil, err
	}
	results := make([]*crmv1.UpsertResult, len(statements))
	for i, s := range statements {
		if s.err != nil {
			results[i] = record.Refused(s.err)
			continue
		}
		results[i] = &crmv1.UpsertResult{Id: *s.accountID, Outcome: s.outcome}
	}
	return results, nil
}

func (l *Ledger) readStatements(ctx context.Context, messages []*crmv1.AccountBalance) ([]*statement, error) {
	now := time.Now()
	statements, refs := make([]*statement, len(messages)), make([][]record.Reference, len(messages))
	for i, m := range messages {
		statements[i] = readStatement(m, now)
		if statements[i].err == nil {
			refs[i] = statements[i].refs
		}
	}
	unresolved, err := record.Resolve(ctx, l.pool, refs)
	if err != nil {
		return nil, err
	}
	for i, s := range statements {
		if s.err == nil {
			s.err = unresolved[i]
		}
	}
	return statements, nil
}

// state is the event's part of a statement.
func (s *statement) state() *eventsv1.BalanceState {
	return &eventsv1.BalanceState{
		AccountId: *s.accountID, BusinessDate: record.DateText(s.day), Currency: s.currency, Ledger: record.DecimalText(s.ledger),
		Available: record.DecimalText(s.available), AsOfTime: timestamppb.New(*s.asOf), Closing: s.closing,
	}
}
