package transaction

import (
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/shopspring/decimal"
	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/natsx"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/audit"
	"tandem.bank/services/crm/internal/outbox"
)

//go:embed stated.sql
var statedSQL string

// place is an account and a day.
type place struct {
	account int64
	day     time.Time
}

// told is what was last stated for a place.
type told struct {
	at      time.Time
	ledger  decimal.NullDecimal
	closing bool
	// available is null when it was not stated.
	available decimal.NullDecimal
}

// placeStatements writes statements, oldest first, and returns those that changed something.
func placeStatements(ctx context.Context, tx pgx.Tx, statements []*statement) ([]*statement, error) {
	open := slices.DeleteFunc(slices.Clone(statements), func(s *statement) bool { return s.err != nil })
	if len(open) == 0 {
		return nil, nil
	}
	if err := bankDays(ctx, tx, open); err != nil {
		return nil, err
	}
	known, err := knownStatements(ctx, tx, open)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(open, func(a, b *statement) int { return a.asOf.Compare(*b.asOf) })
	latest := map[place]*statement{}
	for _, s := range open {
		if s.err == nil {
			s.judge(known, latest)
		}
	}
	var written []*statement
	for _, s := range latest {
		written = append(written, s)
	}
	slices.SortFunc(written, func(a, b *statement) int {
		return cmp.Or(cmp.Compare(*a.accountID, *b.accountID), a.asOf.Compare(*b.asOf))
	})
	return written, writeStatements(ctx, tx, written)
}

// judge says what a statement does, beside those that are stored and those before it in the batch.
func (s *statement) judge(known map[place]told, latest map[place]*statement) {
	at := place{*s.accountID, s.day.Time}
	old, there := known[at]
	s.outcome = crmv1.UpsertOutcome_UPSERT_OUTCOME_UNCHANGED
	switch {
	case there && old.at.After(*s.asOf):
		return
	case there && old.at.Equal(*s.asOf):
		same := func(a, b decimal.NullDecimal) bool { return a.Valid == b.Valid && a.Decimal.Equal(b.Decimal) }
		if !same(old.ledger, s.ledger) || !same(old.available, s.available) || old.closing != s.closing {
			s.err = apperr.Duplicate("as_of_time", "the balance of this moment was stated before, and differently")
		}
		return
	case there:
		s.outcome = crmv1.UpsertOutcome_UPSERT_OUTCOME_UPDATED
	default:
		s.outcome = crmv1.UpsertOutcome_UPSERT_OUTCOME_CREATED
	}
	known[at], latest[at] = told{at: *s.asOf, ledger: s.ledger, available: s.available, closing: s.closing}, s
}

// bankDays gives statements their days, by the bank's calendar.
func bankDays(ctx context.Context, tx pgx.Tx, open []*statement) error {
	moments := make([]time.Time, len(open))
	for i, s := range open {
		moments[i] = *s.asOf
	}
	rows, err := tx.Query(ctx, "SELECT m::date FROM unnest($1::timestamptz[]) WITH ORDINALITY u (m, i) ORDER BY i", moments)
	if err != nil {
		return err
	}
	days, err := pgx.CollectRows(rows, pgx.RowTo[pgtype.Date])
	if err != nil {
		return err
	}
	for i, s := range open {
		switch {
		case !s.day.Valid:
			s.day = days[i]
		case s.day.Time.After(days[i].Time):
			s.err = apperr.InvalidField("business_date", "must not be after as_of_time")
		}
		s.closing = days[i].Time.After(s.day.Time)
	}
	return nil
}

// knownStatements locks the accounts in the order of their ids, checks currencies, and reads what was stated before.
func knownStatements(ctx context.Context, tx pgx.Tx, open []*statement) (map[place]told, error) {
	accounts, days := make([]int64, len(open)), make([]time.Time, len(open))
	for i, s := range open {
		accounts[i], days[i] = *s.accountID, s.day.Time
	}
	rows, err := tx.Query(ctx, "SELECT account_id, currency FROM account WHERE account_id = ANY($1) ORDER BY account_id FOR NO KEY UPDATE", accounts)
	if err != nil {
		return nil, err
	}
	currencies := map[int64]string{}
	var id int64
	var currency string
	if _, err = pgx.ForEachRow(rows, []any{&id, &currency}, func() error { currencies[id] = currency; return nil }); err != nil {
		return nil, err
	}
	for _, s := range open {
		if want := currencies[*s.accountID]; s.err == nil && want != s.currency {
			s.err = apperr.InvalidField("ledger", "must be in the currency of the account, %s", want)
		}
	}
	rows, err = tx.Query(ctx, `SELECT account_id, business_date, stated_at, stated, available, closing FROM account_balance_day
WHERE (account_id, business_date) IN (SELECT * FROM unnest($1::bigint[], $2::date[])) AND stated IS NOT NULL`, accounts, days)
	if err != nil {
		return nil, err
	}
	known := map[place]told{}
	var p place
	var t told
	_, err = pgx.ForEachRow(rows, []any{&p.account, &p.day, &t.at, &t.ledger, &t.available, &t.closing}, func() error {
		known[p] = t
		return nil
	})
	return known, err
}

func writeStatements(ctx context.Context, tx pgx.Tx, written []*statement) error {
	if len(written) == 0 {
		return nil
	}
	type row struct {
		AccountID    int64               `json:"account_id"`
		BusinessDate pgtype.Date         `json:"business_date"`
		Stated       decimal.NullDecimal `json:"stated"`
		Available    decimal.NullDecimal `json:"available"`
		Held         decimal.NullDecimal `json:"held"`
		StatedAt     *time.Time          `json:"stated_at"`
		Closing      bool                `json:"closing"`
	}
	rows := make([]row, len(written))
	for i, s := range written {
		rows[i] = row{*s.accountID, s.day, s.ledger, s.available, s.held, s.asOf, s.closing}
	}
	doc, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, statedSQL, doc)
	return err
}

// publishStatements leaves the statements in the outbox, in bundles of a size that a message can hold, and one audit entry.
func publishStatements(ctx context.Context, tx pgx.Tx, written []*statement) error {
	if len(written) == 0 {
		return nil
	}
	var changes []*eventsv1.Change
	var bundle *eventsv1.BalanceBundle
	bytes := 0
	for _, s := range written {
		state := s.state()
		if bundle == nil || bytes+proto.Size(state) > natsx.BundleBytesTarget {
			bundle, bytes = &eventsv1.BalanceBundle{}, 0
			changes = append(changes, &eventsv1.Change{
				Entity: "balance_bundle", EntityId: *s.accountID, Version: 1, Payload: &eventsv1.Change_BalanceBundle{BalanceBundle: bundle},
			})
		}
		bundle.Balances = append(bundle.Balances, state)
		bytes += proto.Size(state)
	}
	if err := outbox.Append(ctx, tx, changes); err != nil {
		return err
	}
	after, err := json.Marshal(map[string]int{"balances": len(written)})
	if err != nil {
		return err
	}
	return audit.Append(ctx, tx, []audit.Entry{{
		Action: audit.Update, Entity: "balance_bundle", EntityID: *written[0].accountID, Version: 1, After: after,
	}})
}
