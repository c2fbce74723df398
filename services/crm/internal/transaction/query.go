package transaction

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/sight"
)

//go:embed correction.sql
var correctionSQL string

//go:embed balance.sql
var balanceSQL string

//go:embed corrected_balance.sql
var correctedBalanceSQL string

// columns are those of Row, in the order of values and targets.
var columns = []string{
	"transaction_id", "source", "external_id", "version", "account_id", "business_date", "direction", "kind", "amount",
	"currency", "base_amount", "rate_date", "balance_after", "balance_after_currency", "purpose", "counterparty_bank",
	"counterparty_account", "description", "state", "card_id", "channel",
}

func (r *Row) values() []any {
	var balance any
	if r.BalanceAfter.Valid {
		balance = r.BalanceAfter.Decimal.String()
	}
	return []any{
		r.TransactionID, r.Source, r.ExternalID, r.Version, *r.AccountID, r.BusinessDate, r.Direction, r.Kind, r.Amount.Decimal.String(),
		r.Currency, r.BaseAmount.Decimal.String(), r.RateDate, balance, r.BalanceAfterCurrency, r.Purpose, r.CounterpartyBank,
		r.CounterpartyAccount, r.Description, r.State, r.CardID, r.Channel,
	}
}

func (r *Row) targets() []any {
	return []any{
		&r.TransactionID, &r.Source, &r.ExternalID, &r.Version, &r.AccountID, &r.BusinessDate, &r.Direction, &r.Kind, &r.Amount,
		&r.Currency, &r.BaseAmount, &r.RateDate, &r.BalanceAfter, &r.BalanceAfterCurrency, &r.Purpose, &r.CounterpartyBank,
		&r.CounterpartyAccount, &r.Description, &r.State, &r.CardID, &r.Channel,
	}
}

var selectList = "t." + strings.Join(columns, ", t.") + ", t.created_at"

func (l *Ledger) scan(row pgx.CollectableRow) (*crmv1.Transaction, error) {
	var r Row
	var createdAt time.Time
	if err := row.Scan(append(r.targets(), &createdAt)...); err != nil {
		return nil, err
	}
	return toProto(&r, createdAt, l.baseCurrency), nil
}

// belongs says whose a transaction is: those who see its account see it.
var belongs = sight.ByAccount("t.account_id")

// Get returns one transaction by id or, when that is 0, by external key.
func (l *Ledger) Get(ctx context.Context, id int64, key *crmv1.ExternalKey) (*crmv1.Transaction, error) {
	name, from := fmt.Sprint(id), "transaction t WHERE t.transaction_id = $1"
	args := []any{id}
	if id == 0 && key != nil {
		name = key.GetSource() + "/" + key.GetExternalId()
		from = "transaction_key k JOIN transaction t USING (transaction_id, business_date) WHERE (k.source, k.external_id) = ($1, $2)"
		args = []any{key.GetSource(), key.GetExternalId()}
	}
	if seen, bound := sight.Condition(ctx, belongs, args); seen != "" {
		from, args = from+" AND "+seen, bound
	}
	rows, err := l.pool.Query(ctx, "SELECT "+selectList+" FROM "+from, args...)
	if err != nil {
		return nil, err
	}
	t, err := pgx.CollectExactlyOneRow(rows, l.scan)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, apperr.NotFound("transaction %s does not exist", name)
	}
	return t, err
}
