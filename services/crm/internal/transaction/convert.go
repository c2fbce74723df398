package transaction

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/check"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/account"
	"tandem.bank/services/crm/internal/card"
	"tandem.bank/services/crm/internal/record"
)

// read checks a message and makes its row.
func read(t *crmv1.Transaction, baseCurrency string, now time.Time) (*Row, []record.Reference, error) {
	var in record.Reader
	row := &Row{
		Source:              t.GetKey().GetSource(),
		ExternalID:          t.GetKey().GetExternalId(),
		Version:             max(t.GetVersion(), 1),
		BusinessDate:        in.Date("business_date", t.GetBusinessDate()),
		Direction:           record.EnumText(t.GetDirection()),
		Kind:                record.EnumText(t.GetKind()),
		RateDate:            in.Date("rate_date", t.GetRateDate()),
		Purpose:             t.GetPurpose(),
		CounterpartyBank:    t.GetCounterpartyBank(),
		CounterpartyAccount: t.GetCounterpartyAccount(),
		Description:         t.GetDescription(),
		State:               record.EnumText(t.GetState()),
		Channel:             record.EnumText(t.GetChannel()),
	}
	row.Amount, row.Currency = in.Money("amount", t.GetAmount())
	base, statedCurrency := in.Money("base_amount", t.GetBaseAmount())
	row.BaseAmount = base
	row.BalanceAfter, row.BalanceAfterCurrency = in.Money("balance_after", t.GetBalanceAfter())
	if row.State == "" {
		row.State = statePosted
	}
	if !row.RateDate.Valid {
		row.RateDate = row.BusinessDate
	}
	if row.Amount.Valid {
		row.checkBase(&in, baseCurrency, statedCurrency)
	}
	row.checkDate(&in, now)
	if t.GetAccountId() == 0 && t.GetAccountKey() == nil {
		in.Refuse("account_id", "set this or account_key")
	}
	refs := []record.Reference{
		record.Ref("account_id", account.Table, t.GetAccountId(), t.GetAccountKey(), &row.AccountID),
		record.Ref("card_id", card.Table, t.GetCardId(), t.GetCardKey(), &row.CardID),
	}
	return row, refs, apperr.Invalid(append(check.Message(t), in.Violations...)...)
}

func toProto(r *Row, createdAt time.Time, baseCurrency string) *crmv1.Transaction {
	return &crmv1.Transaction{
		TransactionId:       r.TransactionID,
		Key:                 &crmv1.ExternalKey{Source: r.Source, ExternalId: r.ExternalID},
		Version:             r.Version,
		AccountId:           record.Value(r.AccountID),
		BusinessDate:        record.DateProto(r.BusinessDate),
		Direction:           record.EnumValue[crmv1.Direction](r.Direction),
		Kind:                record.EnumValue[crmv1.TransactionKind](r.Kind),
		Amount:              record.MoneyProto(r.Amount, r.Currency),
		BaseAmount:          record.MoneyProto(r.BaseAmount, baseCurrency),
		RateDate:            record.DateProto(r.RateDate),
		BalanceAfter:        record.MoneyProto(r.BalanceAfter, r.BalanceAfterCurrency),
		Purpose:             r.Purpose,
		CounterpartyBank:    r.CounterpartyBank,
		CounterpartyAccount: r.CounterpartyAccount,
		Description:         r.Description,
		State:               record.EnumValue[crmv1.TransactionState](r.State),
		CreateTime:          timestamppb.New(createdAt),
		CardId:              record.Value(r.CardID),
		Channel:             record.EnumValue[crmv1.Channel](r.Channel),
	}
}

// event carries what analysis may see: no counterparty, no text.
func event(r *Row) *eventsv1.TransactionState {
	return &eventsv1.TransactionState{
		TransactionId: r.TransactionID,
		Version:       int64(r.Version),
		AccountId:     record.Value(r.AccountID),
		BusinessDate:  record.DateText(r.BusinessDate),
		Direction:     r.Direction,
		Kind:          r.Kind,
		Amount:        record.Amount(r.Amount, r.Currency),
		BaseValue:     record.DecimalText(r.BaseAmount),
		RateDate:      record.DateText(r.RateDate),
		BalanceAfter:  record.DecimalText(r.BalanceAfter),
		Purpose:       r.Purpose,
		State:         r.State,
		CardId:        record.Value(r.CardID),
		Channel:       r.Channel,
	}
}
