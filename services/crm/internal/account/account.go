// Package account is the customers' accounts and who may use them.
package account

import (
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/shopspring/decimal"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/filter"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
	"tandem.bank/services/crm/internal/sight"
)

// Row is an account as Postgres keeps it.
type Row struct {
	Number             string      `json:"number"`
	Currency           string      `json:"currency"`
	ProductID          *int64      `json:"product_id"`
	RegionID           *int64      `json:"region_id"`
	BranchID           *int64      `json:"branch_id"`
	State              string      `json:"state"`
	StatementFrequency string      `json:"statement_frequency"`
	Opened             pgtype.Date `json:"opened"`
	Closed             pgtype.Date `json:"closed"`
	// The balance belongs to the transactions: their room writes it.
	LedgerBalance decimal.NullDecimal `json:"ledger_balance" record:"readonly"`
	BalanceDate   pgtype.Date         `json:"balance_date" record:"readonly"`
}

// Table keeps accounts; other rooms refer to it.
var Table = record.NewTable[Row]("account", sight.Accounts)

var schema = filter.Schema{
	{Name: "account_id", Column: "account_id", Kind: filter.Int, Required: true, Indexed: true},
	{Name: "key.source", Column: "source", Kind: filter.Text},
	{Name: "key.external_id", Column: "external_id", Kind: filter.Text},
	{Name: "number", Column: "number", Kind: filter.Text},
	{Name: "currency", Column: "currency", Kind: filter.Text, Required: true},
	{Name: "product_id", Column: "product_id", Kind: filter.Int},
	{Name: "region_id", Column: "region_id", Kind: filter.Int},
	{Name: "branch_id", Column: "branch_id", Kind: filter.Int},
	{Name: "state", Column: "state", Kind: filter.Enum, Values: record.EnumTexts[crmv1.AccountState](), Required: true},
	{Name: "statement_frequency", Column: "statement_frequency", Kind: filter.Enum, Values: record.EnumTexts[crmv1.StatementFrequency]()},
	{Name: "opened", Column: "opened", Kind: filter.Date},
	{Name: "closed", Column: "closed", Kind: filter.Date},
	{Name: "ledger_balance", Column: "ledger_balance", Kind: filter.Decimal},
	{Name: "balance_date", Column: "balance_date", Kind: filter.Date},
	{Name: "create_time", Column: "created_at", Kind: filter.Time, Required: true},
	{Name: "update_time", Column: "updated_at", Kind: filter.Time, Required: true},
}

var (
	stateOpen    = record.EnumText(crmv1.AccountState_ACCOUNT_STATE_OPEN)
	stateBlocked = record.EnumText(crmv1.AccountState_ACCOUNT_STATE_BLOCKED)
	stateClosed  = record.EnumText(crmv1.AccountState_ACCOUNT_STATE_CLOSED)
)

// states is the life of an account. Nothing leads out of closed: a customer who returns gets a new account.
var states = record.StateMachine{
	{Name: "block", From: stateOpen, To: stateBlocked},
	{Name: "unblock", From: stateBlocked, To: stateOpen},
	{Name: "close", From: stateOpen, To: stateClosed},
	{Name: "close", From: stateBlocked, To: stateClosed},
}

// change keeps the currency and the life of an account. A message without a state leaves the state as it is, so that a
// source that does not know it can't unblock an account.
func change(old, updated *Row) error {
	switch {
	case updated.State != "":
	case old == nil:
		updated.State = stateOpen
	default:
		updated.State = old.State
	}
	// A closed account may lack the day: not every source knows it.
	if updated.Closed.Valid && updated.State != stateClosed {
		return apperr.InvalidField("closed", "only a closed account has a closing day; this one is %s", updated.State)
	}
	if old == nil {
		return nil
	}
	if old.Currency != updated.Currency {
		return apperr.InvalidField("currency", "can't change: the account is in %s", old.Currency)
	}
	return states.Check("state", old.State, updated.State)
}
