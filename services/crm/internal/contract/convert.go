package contract

import (
	"github.com/shopspring/decimal"
	moneypb "google.golang.org/genproto/googleapis/type/money"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/account"
	"tandem.bank/services/crm/internal/product"
	"tandem.bank/services/crm/internal/record"
)

func toRow(c *crmv1.Contract) (Row, []record.Reference, []apperr.Violation) {
	var in record.Reader
	row := Row{
		Kind:                record.EnumText(c.GetKind()),
		State:               record.EnumText(c.GetState()),
		DurationMonths:      c.GetDurationMonths(),
		Opened:              in.Date("opened", c.GetOpened()),
		Closed:              in.Date("closed", c.GetClosed()),
		Purpose:             c.GetPurpose(),
		CounterpartyBank:    c.GetCounterpartyBank(),
		CounterpartyAccount: c.GetCounterpartyAccount(),
	}
	var instalmentCurrency string
	row.Amount, row.Currency = readMoney(&in, "amount", c.GetAmount())
	row.Instalment, instalmentCurrency = readMoney(&in, "instalment", c.GetInstalment())
	if row.Instalment.Valid && instalmentCurrency != row.Currency {
		in.Refuse("instalment", "must be in the currency of amount, "+row.Currency)
	}
	in.NotBefore("closed", row.Closed, "opened", row.Opened)
	if row.Closed.Valid && running(row.State) {
		in.Refuse("closed", "a contract that is "+row.State+" has no closing day")
	}
	refs := []record.Reference{
		record.Ref("account_id", account.Table, c.GetAccountId(), c.GetAccountKey(), &row.AccountID),
		record.Ref("product_id", product.Table, c.GetProductId(), c.GetProductKey(), &row.ProductID),
	}
	return row, refs, in.Violations
}

// readMoney reads an amount that is never negative.
func readMoney(in *record.Reader, field string, m *moneypb.Money) (decimal.NullDecimal, string) {
	value, currency := in.Money(field, m)
	if value.Decimal.IsNegative() {
		in.Refuse(field, "must not be negative")
	}
	return value, currency
}

func toProto(r *record.Record[Row]) *crmv1.Contract {
	return &crmv1.Contract{
		ContractId:          r.ID,
		Key:                 r.Key(),
		Kind:                record.EnumValue[crmv1.ContractKind](r.Row.Kind),
		State:               record.EnumValue[crmv1.ContractState](r.Row.State),
		AccountId:           record.Value(r.Row.AccountID),
		ProductId:           record.Value(r.Row.ProductID),
		Amount:              record.MoneyProto(r.Row.Amount, r.Row.Currency),
		Instalment:          record.MoneyProto(r.Row.Instalment, r.Row.Currency),
		DurationMonths:      r.Row.DurationMonths,
		Opened:              record.DateProto(r.Row.Opened),
		Closed:              record.DateProto(r.Row.Closed),
		Purpose:             r.Row.Purpose,
		CounterpartyBank:    r.Row.CounterpartyBank,
		CounterpartyAccount: r.Row.CounterpartyAccount,
		Etag:                r.Etag(),
		CreateTime:          timestamppb.New(r.CreatedAt),
		UpdateTime:          timestamppb.New(r.UpdatedAt),
	}
}

// event leaves the other side in Postgres.
func event(r *record.Record[Row], c *eventsv1.Change) {
	c.Payload = &eventsv1.Change_Contract{Contract: &eventsv1.ContractState{
		Kind:           r.Row.Kind,
		State:          r.Row.State,
		AccountId:      record.Value(r.Row.AccountID),
		ProductId:      record.Value(r.Row.ProductID),
		Amount:         record.Amount(r.Row.Amount, r.Row.Currency),
		Instalment:     record.Amount(r.Row.Instalment, r.Row.Currency),
		DurationMonths: r.Row.DurationMonths,
		Opened:         record.DateText(r.Row.Opened),
		Closed:         record.DateText(r.Row.Closed),
		Purpose:        r.Row.Purpose,
	}}
}
