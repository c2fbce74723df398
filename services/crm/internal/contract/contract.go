// Package contract is what was agreed with customers: loans, standing orders, deposits.
package contract

import (
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/shopspring/decimal"

	"tandem.bank/pkg/filter"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/account"
	"tandem.bank/services/crm/internal/record"
	"tandem.bank/services/crm/internal/sight"
)

// Row is a contract as Postgres keeps it. Amount and instalment are in one currency.
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
}

// Table keeps contracts; other rooms refer to it.
var Table = record.NewTable[Row]("contract", sight.ByAccount("account_id"))

var schema = filter.Schema{
	{Name: "contract_id", Column: "contract_id", Kind: filter.Int, Required: true, Indexed: true},
	{Name: "key.source", Column: "source", Kind: filter.Text},
	{Name: "key.external_id", Column: "external_id", Kind: filter.Text},
	{Name: "kind", Column: "kind", Kind: filter.Enum, Values: record.EnumTexts[crmv1.ContractKind](), Required: true},
	{Name: "state", Column: "state", Kind: filter.Enum, Values: record.EnumTexts[crmv1.ContractState]()},
	{Name: "account_id", Column: "account_id", Kind: filter.Int},
	{Name: "product_id", Column: "product_id", Kind: filter.Int},
	{Name: "amount", Column: "amount", Kind: filter.Decimal, Required: true},
	{Name: "instalment", Column: "instalment", Kind: filter.Decimal},
	{Name: "currency", Column: "currency", Kind: filter.Text, Required: true},
	{Name: "duration_months", Column: "duration_months", Kind: filter.Int, Required: true},
	{Name: "opened", Column: "opened", Kind: filter.Date},
	{Name: "closed", Column: "closed", Kind: filter.Date},
	{Name: "purpose", Column: "purpose", Kind: filter.Text},
	{Name: "counterparty_bank", Column: "counterparty_bank", Kind: filter.Text},
	{Name: "counterparty_account", Column: "counterparty_account", Kind: filter.Text},
	{Name: "create_time", Column: "created_at", Kind: filter.Time, Required: true},
	{Name: "update_time", Column: "updated_at", Kind: filter.Time, Required: true},
}

// There is no state machine here: contracts come from the system that owns their life, and its corrections must pass.

// running says whether a contract in a state goes on; of an unknown state nobody can say.
func running(state string) bool {
	return state == record.EnumText(crmv1.ContractState_CONTRACT_STATE_RUNNING) ||
		state == record.EnumText(crmv1.ContractState_CONTRACT_STATE_IN_ARREARS)
}

// ForOwner reads the contracts of the accounts that a customer owns, by id.
func ForOwner(into *[]*crmv1.Contract, customerID int64, limit int) record.Part {
	return Table.Part(func(found []*record.Record[Row]) { *into = record.Protos(found, toProto) },
		"account_id IN ("+account.OwnedBy+") ORDER BY contract_id LIMIT $2", customerID, limit)
}
