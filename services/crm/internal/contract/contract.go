// Package contract is what was agreed with customers, who is a party to it, and what falls due when.
package contract

import (
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/shopspring/decimal"

	"tandem.bank/pkg/filter"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/account"
	"tandem.bank/services/crm/internal/record"
	"tandem.bank/services/crm/internal/sight"
)

// Row is a contract as Postgres keeps it. Its amounts are in one currency.
type Row struct {
	Kind                string              `json:"kind"`
	State               string              `json:"state"`
	AccountID           *int64              `json:"account_id"`
	ProductID           *int64              `json:"product_id"`
	Amount              decimal.NullDecimal `json:"amount"`
	Instalment          decimal.NullDecimal `json:"instalment"`
	Currency            string              `json:"currency"`
	DurationMonths      int32               `json:"duration_months"`
	Opened              pgtype.Date         `json:"opened"`
	Closed              pgtype.Date         `json:"closed"`
	Purpose             string              `json:"purpose"`
	CounterpartyBank    string              `json:"counterparty_bank"`
	CounterpartyAccount string              `json:"counterparty_account"`
	Number              string              `json:"number"`
	AnnualRate          decimal.NullDecimal `json:"annual_rate"`
	RateKind            string              `json:"rate_kind"`
	ReferenceRate       string              `json:"reference_rate"`
	RateMargin          decimal.NullDecimal `json:"rate_margin"`
	DayCount            string              `json:"day_count"`
	Limit               decimal.NullDecimal `json:"credit_limit"`
	Collateral          string              `json:"collateral"`
	Signed              pgtype.Date         `json:"signed"`
	Maturity            pgtype.Date         `json:"maturity"`
	CloseReason         string              `json:"close_reason"`
	StateReason         string              `json:"state_reason"`
	StateSince          *time.Time          `json:"state_since"`
}

func life(row *Row) record.Life {
	return record.Life{State: &row.State, Reason: &row.StateReason, Since: &row.StateSince}
}

// Table keeps contracts; other rooms refer to it.
var Table = record.NewTable[Row]("contract", sight.Contracts)

var schema = filter.Schema{
	{Name: "contract_id", Column: "contract_id", Kind: filter.Int, Required: true, Indexed: true},
	{Name: "key.source", Column: "source", Kind: filter.Text},
	{Name: "key.external_id", Column: "external_id", Kind: filter.Text},
	{Name: "kind", Column: "kind", Kind: filter.Enum, Values: record.EnumTexts[crmv1.ContractKind](), Required: true},
	{Name: "state", Column: "state", Kind: filter.Enum, Values: record.EnumTexts[crmv1.ContractState]()},
	{Name: "account_id", Column: "account_id", Kind: filter.Int},
	{Name: "product_id", Column: "product_id", Kind: filter.Int},
	{Name: "amount", Column: "amount", Kind: filter.Decimal},
	{Name: "instalment", Column: "instalment", Kind: filter.Decimal},
	{Name: "currency", Column: "currency", Kind: filter.Text, Required: true},
	{Name: "duration_months", Column: "duration_months", Kind: filter.Int, Required: true},
	{Name: "opened", Column: "opened", Kind: filter.Date},
	{Name: "closed", Column: "closed", Kind: filter.Date},
	{Name: "purpose", Column: "purpose", Kind: filter.Text},
	{Name: "counterparty_bank", Column: "counterparty_bank", Kind: filter.Text},
	{Name: "counterparty_account", Column: "counterparty_account", Kind: filter.Text},
	{Name: "number", Column: "number", Kind: filter.Text},
	{Name: "annual_rate", Column: "annual_rate", Kind: filter.Decimal},
	{Name: "rate_kind", Column: "rate_kind", Kind: filter.Enum, Values: record.EnumTexts[crmv1.RateKind]()},
	{Name: "reference_rate", Column: "reference_rate", Kind: filter.Text},
	{Name: "rate_margin", Column: "rate_margin", Kind: filter.Decimal},
	{Name: "day_count", Column: "day_count", Kind: filter.Enum, Values: record.EnumTexts[crmv1.DayCount]()},
	{Name: "limit", Column: "credit_limit", Kind: filter.Decimal},
	{Name: "collateral", Column: "collateral", Kind: filter.Text},
	{Name: "signed", Column: "signed", Kind: filter.Date},
	{Name: "maturity", Column: "maturity", Kind: filter.Date},
	{Name: "close_reason", Column: "close_reason", Kind: filter.Text},
	{Name: "state_reason", Column: "state_reason", Kind: filter.Text},
	{Name: "state_since", Column: "state_since", Kind: filter.Time},
	{Name: "days_past_due", Column: daysPastDueSQL, Kind: filter.Int, Required: true},
	{Name: "overdue_amount", Column: overdueAmountSQL, Kind: filter.Decimal, Required: true},
	{Name: "create_time", Column: "created_at", Kind: filter.Time, Required: true},
	{Name: "update_time", Column: "updated_at", Kind: filter.Time, Required: true},
}

// heldBy selects the contracts of a customer: those of the accounts that the customer in $1 owns, and those that the
// customer is a party to, today.
const heldBy = "SELECT contract_id FROM contract WHERE account_id IN (" + account.OwnedBy + `)
    UNION SELECT contract_id FROM contract_party WHERE customer_id = $1 AND ` + currentParty

// ForOwner reads the contracts of a customer, by id, with what is overdue.
func ForOwner(into *[]*crmv1.Contract, customerID int64, limit int) record.Part {
	sql := "SELECT " + Table.Columns() + ", overdue_days, overdue FROM contract" + overdueJoin +
		" WHERE contract_id IN (" + heldBy + ") ORDER BY contract_id LIMIT $2"
	return record.Part{SQL: sql, Args: []any{customerID, limit}, Take: func(rows pgx.Rows) (err error) {
		*into, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (*crmv1.Contract, error) {
			var late arrears
			r, err := Table.Scan(row, &late.days, &late.amount)
			if err != nil {
				return nil, err
			}
			c := toProto(r)
			late.show(c)
			return c, nil
		})
		return err
	}}
}
