// Package account is the customers' accounts and who may use them.
package account

import (
	"time"

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
	ContractID         *int64      `json:"contract_id"`
	StateReason        string      `json:"state_reason"`
	StateSince         *time.Time  `json:"state_since"`
	// OverdraftLimit is in the currency of the account.
	OverdraftLimit decimal.NullDecimal `json:"overdraft_limit"`
	// The balances belong to the transactions: their room writes them.
	LedgerBalance    decimal.NullDecimal `json:"ledger_balance" record:"readonly"`
	BalanceDate      pgtype.Date         `json:"balance_date" record:"readonly"`
	AvailableBalance decimal.NullDecimal `json:"available_balance" record:"readonly"`
	HeldAmount       decimal.NullDecimal `json:"held_amount" record:"readonly"`
	BalanceTime      *time.Time          `json:"balance_time" record:"readonly"`
}

func life(row *Row) record.Life {
	return record.Life{State: &row.State, Reason: &row.StateReason, Since: &row.StateSince}
}

// Table keeps accounts; other rooms refer to it.
var Table = record.NewTable[Row]("account", sight.Accounts)

// contractTable stands for the contracts, whose room leans on this one.
const contractTable = record.Named("contract")

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
	{Name: "contract_id", Column: "contract_id", Kind: filter.Int},
	{Name: "state_reason", Column: "state_reason", Kind: filter.Text},
	{Name: "state_since", Column: "state_since", Kind: filter.Time},
	{Name: "overdraft_limit", Column: "overdraft_limit", Kind: filter.Decimal},
	{Name: "available_balance", Column: "available_balance", Kind: filter.Decimal},
	{Name: "held_amount", Column: "held_amount", Kind: filter.Decimal},
	{Name: "balance_time", Column: "balance_time", Kind: filter.Time},
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
	var before *record.Life
	if old != nil {
		l := life(old)
		before = &l
	}
	life(updated).Keep(before, stateOpen, time.Now())
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
