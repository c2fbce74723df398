package contract

import (
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/shopspring/decimal"
	moneypb "google.golang.org/genproto/googleapis/type/money"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/filter"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/record"
	"tandem.bank/services/crm/internal/sight"
)

// InstalmentRow is an instalment as Postgres keeps it. Its amounts are in one currency.
type InstalmentRow struct {
	ContractID *int64          `json:"contract_id"`
	Number     int32           `json:"number"`
	Due        pgtype.Date     `json:"due"`
	Currency   string          `json:"currency"`
	Principal  decimal.Decimal `json:"principal"`
	Interest   decimal.Decimal `json:"interest"`
	Fee        decimal.Decimal `json:"fee"`
	Paid       decimal.Decimal `json:"paid"`
	PaidOn     pgtype.Date     `json:"paid_on"`
	State      string          `json:"state"`
}

// InstalmentTable keeps instalments.
var InstalmentTable = record.NewTable[InstalmentRow]("instalment", sight.ByContract("instalment.contract_id"))

var instalmentSchema = filter.Schema{
	{Name: "instalment_id", Column: "instalment_id", Kind: filter.Int, Required: true, Indexed: true},
	{Name: "key.source", Column: "source", Kind: filter.Text},
	{Name: "key.external_id", Column: "external_id", Kind: filter.Text},
	{Name: "contract_id", Column: "contract_id", Kind: filter.Int, Required: true},
	{Name: "number", Column: "number", Kind: filter.Int, Required: true},
	{Name: "due", Column: "due", Kind: filter.Date, Required: true},
	{Name: "currency", Column: "currency", Kind: filter.Text, Required: true},
	{Name: "principal", Column: "principal", Kind: filter.Decimal, Required: true},
	{Name: "interest", Column: "interest", Kind: filter.Decimal, Required: true},
	{Name: "fee", Column: "fee", Kind: filter.Decimal, Required: true},
	{Name: "paid", Column: "paid", Kind: filter.Decimal, Required: true},
	{Name: "paid_on", Column: "paid_on", Kind: filter.Date},
	{Name: "outstanding", Column: "outstanding", Kind: filter.Decimal, Required: true},
	{Name: "state", Column: "state", Kind: filter.Enum, Values: record.EnumTexts[crmv1.InstalmentState](), Required: true},
	{Name: "create_time", Column: "created_at", Kind: filter.Time, Required: true},
	{Name: "update_time", Column: "updated_at", Kind: filter.Time, Required: true},
}

var (
	instalmentOpen   = record.EnumText(crmv1.InstalmentState_INSTALMENT_STATE_OPEN)
	instalmentPartly = record.EnumText(crmv1.InstalmentState_INSTALMENT_STATE_PARTLY_PAID)
	instalmentPaid   = record.EnumText(crmv1.InstalmentState_INSTALMENT_STATE_PAID)
	instalmentWaived = record.EnumText(crmv1.InstalmentState_INSTALMENT_STATE_WAIVED)
)

func (row *InstalmentRow) total() decimal.Decimal {
	return row.Principal.Add(row.Interest).Add(row.Fee)
}

// OutstandingSQL is how the table works out what is still owed of a row that is called past.
const OutstandingSQL = `CASE WHEN past.state = 'waived' THEN 0
    ELSE greatest(past.principal + past.interest + past.fee - past.paid, 0) END`

// outstanding is what is still owed; the table works it out in the same way.
func (row *InstalmentRow) outstanding() decimal.Decimal {
	if row.State == instalmentWaived {
		return decimal.Zero
	}
	return row.total().Sub(row.Paid)
}

// settle gives an instalment the state that its amounts say.
func (row *InstalmentRow) settle() {
	switch {
	case row.Paid.GreaterThanOrEqual(row.total()):
		row.State = instalmentPaid
	case row.Paid.IsPositive():
		row.State = instalmentPartly
	default:
		row.State = instalmentOpen
	}
}

func instalmentToRow(m *crmv1.Instalment) (InstalmentRow, []record.Reference, []apperr.Violation) {
	var in record.Reader
	row := InstalmentRow{
		Number:   m.GetNumber(),
		Due:      in.Date("due", m.GetDue()),
		Currency: m.GetPrincipal().GetCurrencyCode(),
		PaidOn:   in.Date("paid_on", m.GetPaidOn()),
	}
	row.Principal = row.readMoney(&in, "principal", m.GetPrincipal())
	row.Interest = row.readMoney(&in, "interest", m.GetInterest())
	row.Fee = row.readMoney(&in, "fee", m.GetFee())
	row.Paid = row.readMoney(&in, "paid", m.GetPaid())
	if row.Paid.GreaterThan(row.total()) {
		in.Refuse("paid", "is more than principal, interest and fee together")
	}
	if row.PaidOn.Valid && !row.Paid.IsPositive() {
		in.Refuse("paid_on", "nothing is paid")
	}
	row.settle()
	switch given := record.EnumText(m.GetState()); {
	case given == instalmentWaived:
		row.State = given
	case given != "" && given != row.State:
		in.Refuse("state", "does not fit the amounts: by them the instalment is "+row.State)
	}
	in.Need("contract_id", m.GetContractId(), m.GetContractKey())
	return row, []record.Reference{record.Ref("contract_id", Table, m.GetContractId(), m.GetContractKey(), &row.ContractID)}, in.Violations
}

// readMoney reads a part of the instalment; an unset one is zero.
func (row *InstalmentRow) readMoney(in *record.Reader, field string, m *moneypb.Money) decimal.Decimal {
	value, currency := in.Money(field, m)
	switch {
	case value.Decimal.IsNegative():
		in.Refuse(field, "must not be negative")
	case value.Valid && currency != row.Currency:
		in.Refuse(field, "must be in the currency of principal, "+row.Currency)
	}
	return value.Decimal
}

func instalmentToProto(r *record.Record[InstalmentRow]) *crmv1.Instalment {
	money := func(value decimal.Decimal) *moneypb.Money {
		return record.MoneyProto(decimal.NullDecimal{Decimal: value, Valid: true}, r.Row.Currency)
	}
	return &crmv1.Instalment{
		InstalmentId: r.ID,
		Key:          r.Key(),
		ContractId:   record.Value(r.Row.ContractID),
		Number:       r.Row.Number,
		Due:          record.DateProto(r.Row.Due),
		Principal:    money(r.Row.Principal),
		Interest:     money(r.Row.Interest),
		Fee:          money(r.Row.Fee),
		Paid:         money(r.Row.Paid),
		PaidOn:       record.DateProto(r.Row.PaidOn),
		State:        record.EnumValue[crmv1.InstalmentState](r.Row.State),
		Outstanding:  money(r.Row.outstanding()),
		Etag:         r.Etag(),
		CreateTime:   timestamppb.New(r.CreatedAt),
		UpdateTime:   timestamppb.New(r.UpdatedAt),
	}
}

func instalmentEvent(r *record.Record[InstalmentRow], c *eventsv1.Change) {
	c.Payload = &eventsv1.Change_Instalment{Instalment: &eventsv1.InstalmentState{
		ContractId: record.Value(r.Row.ContractID),
		Number:     r.Row.Number,
		Due:        record.DateText(r.Row.Due),
		Currency:   r.Row.Currency,
		Principal:  r.Row.Principal.String(),
		Interest:   r.Row.Interest.String(),
		Fee:        r.Row.Fee.String(),
		Paid:       r.Row.Paid.String(),
		PaidOn:     record.DateText(r.Row.PaidOn),
		State:      r.Row.State,
	}}
}
