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
	"tandem.bank/pkg/filter"
	"tandem.bank/pkg/page"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/sight"
)

//go:embed correction.sql
var correctionSQL string

//go:embed balance.sql
var balanceSQL string

// columns are those of Row, in the order of values and targets.
var columns = []string{
	"transaction_id", "source", "external_id", "version", "account_id", "business_date", "direction", "kind", "amount",
	"currency", "base_amount", "rate_date", "balance_after", "balance_after_currency", "purpose", "counterparty_bank",
	"counterparty_account", "description", "state",
}

func (r *Row) values() []any {
	var balance any
	if r.BalanceAfter.Valid {
		balance = r.BalanceAfter.Decimal.String()
	}
	return []any{
		r.TransactionID, r.Source, r.ExternalID, r.Version, *r.AccountID, r.BusinessDate, r.Direction, r.Kind, r.Amount.Decimal.String(),
		r.Currency, r.BaseAmount.Decimal.String(), r.RateDate, balance, r.BalanceAfterCurrency, r.Purpose, r.CounterpartyBank,
		r.CounterpartyAccount, r.Description, r.State,
	}
}

func (r *Row) targets() []any {
	return []any{
		&r.TransactionID, &r.Source, &r.ExternalID, &r.Version, &r.AccountID, &r.BusinessDate, &r.Direction, &r.Kind, &r.Amount,
		&r.Currency, &r.BaseAmount, &r.RateDate, &r.BalanceAfter, &r.BalanceAfterCurrency, &r.Purpose, &r.CounterpartyBank,
		&r.CounterpartyAccount, &r.Description, &r.State,
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

// position is where a page ended.
type position struct {
	Date time.Time `json:"d"`
	ID   int64     `json:"i"`
}

// List returns a page of the accounts' transactions, newest first. Each account contributes at most a page by its own
// index order, so the cost does not grow with the history.
func (l *Ledger) List(ctx context.Context, req *crmv1.ListTransactionsRequest) ([]*crmv1.Transaction, string, error) {
	parameters := []string{"transaction", fmt.Sprint(req.GetAccountId()), fmt.Sprint(req.GetCustomerId()), req.GetFilter()}
	after, err := page.Decode[position](req.GetPageToken(), parameters...)
	if err != nil {
		return nil, "", err
	}
	scope, args := "SELECT $1::bigint AS account_id", []any{req.GetAccountId()}
	if req.GetCustomerId() != 0 {
		scope, args = "SELECT DISTINCT account_id FROM account_holder WHERE customer_id = $1 AND role = 'owner'", []any{req.GetCustomerId()}
	}
	if seen, bound := sight.Condition(ctx, sight.ByAccount("asked.account_id"), args); seen != "" {
		scope, args = "SELECT account_id FROM ("+scope+") asked WHERE "+seen, bound
	}
	where, args, err := filter.Postgres(req.GetFilter(), schema, args)
	if err != nil {
		return nil, "", err
	}
	if after != nil {
		args = append(args, after.Date, after.ID)
		where = fmt.Sprintf("(%s) AND (t.business_date, t.transaction_id) < ($%d, $%d)", where, len(args)-1, len(args))
	}
	size := page.Size(req.GetPageSize())
	args = append(args, size+1)
	rows, err := l.pool.Query(ctx, fmt.Sprintf(`SELECT %[1]s FROM (%[2]s) a CROSS JOIN LATERAL (
    SELECT * FROM transaction t WHERE t.account_id = a.account_id AND (%[3]s)
    ORDER BY t.business_date DESC, t.transaction_id DESC LIMIT $%[4]d
) t ORDER BY t.business_date DESC, t.transaction_id DESC LIMIT $%[4]d`, selectList, scope, where, len(args)), args...)
	if err != nil {
		return nil, "", err
	}
	found, err := pgx.CollectRows(rows, l.scan)
	if err != nil || len(found) <= size {
		return found, "", err
	}
	found = found[:size]
	next, err := page.Encode(endOf(found[size-1]), parameters...)
	return found, next, err
}

func endOf(t *crmv1.Transaction) position {
	d := t.GetBusinessDate()
	return position{Date: time.Date(int(d.GetYear()), time.Month(d.GetMonth()), int(d.GetDay()), 0, 0, 0, 0, time.UTC), ID: t.GetTransactionId()}
}
