package contract

import (
	"cmp"
	"slices"

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
	row.readTerms(&in, c)
	row.readAmounts(&in, c)
	in.NotBefore("closed", row.Closed, "opened", row.Opened)
	in.NotBefore("maturity", row.Maturity, "opened", row.Opened)
	refs := []record.Reference{
		record.Ref("account_id", account.Table, c.GetAccountId(), c.GetAccountKey(), &row.AccountID),
		record.Ref("product_id", product.Table, c.GetProductId(), c.GetProductKey(), &row.ProductID),
	}
	return row, refs, in.Violations
}

// readTerms reads rate, limit and what else was agreed.
func (row *Row) readTerms(in *record.Reader, c *crmv1.Contract) {
	row.Number = c.GetNumber()
	row.AnnualRate = in.Decimal("annual_rate", c.GetAnnualRate())
	row.RateKind = record.EnumText(c.GetRateKind())
	row.ReferenceRate = c.GetReferenceRate()
	row.RateMargin = in.Decimal("rate_margin", c.GetRateMargin())
	row.DayCount = record.EnumText(c.GetDayCount())
	row.Collateral = c.GetCollateral()
	row.Signed = in.Date("signed", c.GetSigned())
	row.Maturity = in.Date("maturity", c.GetMaturity())
	row.CloseReason = c.GetCloseReason()
	row.StateReason = c.GetStateReason()
	row.StateSince = in.Time("state_since", c.GetStateSince())
	if c.GetRateKind() == crmv1.RateKind_RATE_KIND_FIXED && (row.ReferenceRate != "" || row.RateMargin.Valid) {
		in.Refuse("rate_kind", "a fixed rate follows no reference rate")
	}
}

// needsAmount are the kinds of contract that are about an amount.
var needsAmount = []crmv1.ContractKind{
	crmv1.ContractKind_CONTRACT_KIND_LOAN, crmv1.ContractKind_CONTRACT_KIND_MORTGAGE,
	crmv1.ContractKind_CONTRACT_KIND_DEPOSIT, crmv1.ContractKind_CONTRACT_KIND_STANDING_ORDER,
}

// readAmounts reads the amounts, which are in one currency and never negative.
func (row *Row) readAmounts(in *record.Reader, c *crmv1.Contract) {
	row.Currency = cmp.Or(c.GetCurrency(), c.GetAmount().GetCurrencyCode())
	switch {
	case c.GetAmount() == nil && slices.Contains(needsAmount, c.GetKind()):
		in.Refuse("amount", "is required for a "+record.EnumText(c.GetKind()))
	case row.Currency == "":
		in.Refuse("currency", "is required where there is no amount")
	default:
		in.Currency("currency", c.GetCurrency())
	}
	row.Amount = row.readMoney(in, "amount", c.GetAmount())
	row.Instalment = row.readMoney(in, "instalment", c.GetInstalment())
	row.Limit = row.readMoney(in, "limit", c.GetLimit())
}

func (row *Row) readMoney(in *record.Reader, field string, m *moneypb.Money) decimal.NullDecimal {
	value, currency := in.Money(field, m)
	switch {
	case value.Decimal.IsNegative():
		in.Refuse(field, "must not be negative")
	case value.Valid && currency != row.Currency:
		in.Refuse(field, "must be in the currency of the contract, "+row.Currency)
	}
	return value
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
		Number:              r.Row.Number,
		Currency:            r.Row.Currency,
		AnnualRate:          record.DecimalText(r.Row.AnnualRate),
		RateKind:            record.EnumValue[crmv1.RateKind](r.Row.RateKind),
		ReferenceRate:       r.Row.ReferenceRate,
		RateMargin:          record.DecimalText(r.Row.RateMargin),
		DayCount:            record.EnumValue[crmv1.DayCount](r.Row.DayCount),
		Limit:               record.MoneyProto(r.Row.Limit, r.Row.Currency),
		Collateral:          r.Row.Collateral,
		Signed:              record.DateProto(r.Row.Signed),
		Maturity:            record.DateProto(r.Row.Maturity),
		CloseReason:         r.Row.CloseReason,
		StateReason:         r.Row.StateReason,
		StateSince:          record.TimeProto(r.Row.StateSince),
		Etag:                r.Etag(),
		CreateTime:          timestamppb.New(r.CreatedAt),
		UpdateTime:          timestamppb.New(r.UpdatedAt),
	}
}

// event leaves the other side, the number and the texts in Postgres.
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
		Currency:       r.Row.Currency,
		AnnualRate:     record.DecimalText(r.Row.AnnualRate),
		RateKind:       r.Row.RateKind,
		ReferenceRate:  r.Row.ReferenceRate,
		RateMargin:     record.DecimalText(r.Row.RateMargin),
		DayCount:       r.Row.DayCount,
		Limit:          record.Amount(r.Row.Limit, r.Row.Currency),
		Secured:        r.Row.Collateral != "",
		Signed:         record.DateText(r.Row.Signed),
		Maturity:       record.DateText(r.Row.Maturity),
		StateSince:     record.TimeProto(r.Row.StateSince),
	}}
}
