// Package transaction takes in the movements on accounts, in bundles, each once.
package transaction

import (
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/shopspring/decimal"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/filter"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
)

// earliest is the first business date that can be booked: core systems keep nothing older, and a typing error must not
// make partitions for centuries.
var earliest = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)

// daysAheadMax is how far in the future a business date may lie.
const daysAheadMax = 31

var statePosted = record.EnumText(crmv1.TransactionState_TRANSACTION_STATE_POSTED)

// Row is a transaction as Postgres keeps it.
type Row struct {
	TransactionID        int64               `json:"transaction_id"`
	Source               string              `json:"source"`
	ExternalID           string              `json:"external_id"`
	Version              int32               `json:"version"`
	AccountID            *int64              `json:"account_id"`
	BusinessDate         pgtype.Date         `json:"business_date"`
	Direction            string              `json:"direction"`
	Kind                 string              `json:"kind"`
	Amount               decimal.NullDecimal `json:"amount"`
	Currency             string              `json:"currency"`
	BaseAmount           decimal.NullDecimal `json:"base_amount"`
	RateDate             pgtype.Date         `json:"rate_date"`
	BalanceAfter         decimal.NullDecimal `json:"balance_after"`
	BalanceAfterCurrency string              `json:"balance_after_currency"`
	Purpose              string              `json:"purpose"`
	CounterpartyBank     string              `json:"counterparty_bank"`
	CounterpartyAccount  string              `json:"counterparty_account"`
	Description          string              `json:"description"`
	State                string              `json:"state"`
	// Left out where there is none: then the hash of a movement's content is that of the time before these were known.
	CardID  *int64 `json:"card_id,omitempty"`
	Channel string `json:"channel,omitempty"`
}

func (r *Row) key() string { return r.Source + "/" + r.ExternalID }

var schema = filter.Schema{
	{Name: "transaction_id", Column: "t.transaction_id", Kind: filter.Int, Required: true},
	{Name: "key.source", Column: "t.source", Kind: filter.Text, Required: true},
	{Name: "key.external_id", Column: "t.external_id", Kind: filter.Text, Required: true},
	{Name: "version", Column: "t.version", Kind: filter.Int, Required: true},
	{Name: "account_id", Column: "t.account_id", Kind: filter.Int, Required: true},
	{Name: "business_date", Column: "t.business_date", Kind: filter.Date, Required: true},
	{Name: "direction", Column: "t.direction", Kind: filter.Enum, Values: record.EnumTexts[crmv1.Direction](), Required: true},
	{Name: "kind", Column: "t.kind", Kind: filter.Enum, Values: record.EnumTexts[crmv1.TransactionKind]()},
	{Name: "amount", Column: "t.amount", Kind: filter.Decimal, Required: true},
	{Name: "currency", Column: "t.currency", Kind: filter.Text, Required: true},
	{Name: "base_amount", Column: "t.base_amount", Kind: filter.Decimal, Required: true},
	{Name: "rate_date", Column: "t.rate_date", Kind: filter.Date},
	{Name: "balance_after", Column: "t.balance_after", Kind: filter.Decimal},
	{Name: "purpose", Column: "t.purpose", Kind: filter.Text},
	{Name: "counterparty_bank", Column: "t.counterparty_bank", Kind: filter.Text},
	{Name: "counterparty_account", Column: "t.counterparty_account", Kind: filter.Text},
	{Name: "description", Column: "t.description", Kind: filter.Text},
	{Name: "card_id", Column: "t.card_id", Kind: filter.Int},
	{Name: "channel", Column: "t.channel", Kind: filter.Enum, Values: record.EnumTexts[crmv1.Channel]()},
	{Name: "state", Column: "t.state", Kind: filter.Enum, Values: record.EnumTexts[crmv1.TransactionState](), Required: true},
	{Name: "create_time", Column: "t.created_at", Kind: filter.Time, Required: true},
}

// checkBase settles the amount in base currency: equal when the currency is the base, otherwise stated by the source.
// crm never converts: two systems with two rates would never agree on a sum.
func (r *Row) checkBase(in *record.Reader, baseCurrency, statedCurrency string) {
	switch {
	case r.Currency == baseCurrency && !r.BaseAmount.Valid:
		r.BaseAmount = r.Amount
	case r.Currency == baseCurrency && !r.BaseAmount.Decimal.Equal(r.Amount.Decimal):
		in.Refuse("base_amount", "must equal amount, whose currency is the base currency "+baseCurrency)
	case !r.BaseAmount.Valid:
		in.Refuse("base_amount", "is required because the amount is in "+r.Currency+", not in the base currency "+baseCurrency)
	case statedCurrency != baseCurrency:
		in.Refuse("base_amount", "must be in the base currency "+baseCurrency)
	}
	if r.Amount.Decimal.IsNegative() || r.BaseAmount.Decimal.IsNegative() {
		in.Refuse("amount", "must not be negative; the direction says which way the money goes")
	}
}

func (r *Row) checkDate(in *record.Reader, now time.Time) {
	if !r.BusinessDate.Valid {
		return
	}
	if r.BusinessDate.Time.Before(earliest) || r.BusinessDate.Time.After(now.AddDate(0, 0, daysAheadMax)) {
		in.Refuse("business_date", "must lie between 1970-01-01 and a month from now")
	}
}

// correct checks that a later version keeps what a ledger may not move.
func (r *Row) correct(known *known) error {
	if *r.AccountID != known.accountID {
		return apperr.InvalidField("account_id", "a correction can't move a transaction to another account; reverse it and book anew")
	}
	if !r.BusinessDate.Time.Equal(known.businessDate) {
		return apperr.InvalidField("business_date", "a correction can't move a transaction to another day; reverse it and book anew")
	}
	return nil
}
