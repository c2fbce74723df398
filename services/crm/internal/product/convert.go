package product

import (
	"cmp"

	"github.com/shopspring/decimal"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/record"
)

func toRow(p *crmv1.Product) (Row, []record.Reference, []apperr.Violation) {
	var in record.Reader
	row := Row{
		Code:      p.GetCode(),
		Name:      p.GetName(),
		Family:    record.EnumText(p.GetFamily()),
		Currency:  in.Currency("currency", p.GetCurrency()),
		Margin:    in.Decimal("margin", p.GetMargin()),
		ValidFrom: in.Date("valid_from", p.GetValidFrom()),
		ValidTo:   in.Date("valid_to", p.GetValidTo()),

		Description: p.GetDescription(),
		AnnualRate:  in.Decimal("annual_rate", p.GetAnnualRate()),
		MonthsMin:   p.GetMonthsMin(),
		MonthsMax:   p.GetMonthsMax(),
		Channels:    make([]string, len(p.GetChannels())),
	}
	for i, channel := range p.GetChannels() {
		row.Channels[i] = record.EnumText(channel)
	}
	row.readAmounts(&in, p)
	if row.MonthsMax != 0 && row.MonthsMax < row.MonthsMin {
		in.Refuse("months_max", "must not be below months_min")
	}
	return row, nil, in.Violations
}

// readAmounts reads the bounds of the amount, which are in one currency.
func (row *Row) readAmounts(in *record.Reader, p *crmv1.Product) {
	var currencyMin, currencyMax string
	row.AmountMin, currencyMin = in.Money("amount_min", p.GetAmountMin())
	row.AmountMax, currencyMax = in.Money("amount_max", p.GetAmountMax())
	row.AmountCurrency = cmp.Or(currencyMin, currencyMax)
	currency := cmp.Or(p.GetCurrency(), row.AmountCurrency)
	for _, bound := range []struct {
		field, currency string
		value           decimal.NullDecimal
	}{{"amount_min", currencyMin, row.AmountMin}, {"amount_max", currencyMax, row.AmountMax}} {
		switch {
		case !bound.value.Valid:
		case bound.currency != currency:
			in.Refuse(bound.field, "must be in the currency "+currency)
		case bound.value.Decimal.IsNegative():
			in.Refuse(bound.field, "must not be negative")
		}
	}
	if row.AmountMin.Valid && row.AmountMax.Valid && row.AmountMax.Decimal.LessThan(row.AmountMin.Decimal) {
		in.Refuse("amount_max", "must not be below amount_min")
	}
}

func channelsProto(texts []string) []crmv1.Channel {
	var channels []crmv1.Channel
	for _, text := range texts {
		channels = append(channels, record.EnumValue[crmv1.Channel](text))
	}
	return channels
}

func toProto(r *record.Record[Row]) *crmv1.Product {
	return &crmv1.Product{
		ProductId: r.ID,
		Key:       r.Key(),
		Code:      r.Row.Code,
		Name:      r.Row.Name,
		Family:    record.EnumValue[crmv1.ProductFamily](r.Row.Family),
		Currency:  r.Row.Currency,
		Margin:    record.DecimalText(r.Row.Margin),
		ValidFrom: record.DateProto(r.Row.ValidFrom),
		ValidTo:   record.DateProto(r.Row.ValidTo),

		Description: r.Row.Description,
		AnnualRate:  record.DecimalText(r.Row.AnnualRate),
		AmountMin:   record.MoneyProto(r.Row.AmountMin, r.Row.AmountCurrency),
		AmountMax:   record.MoneyProto(r.Row.AmountMax, r.Row.AmountCurrency),
		MonthsMin:   r.Row.MonthsMin,
		MonthsMax:   r.Row.MonthsMax,
		Channels:    channelsProto(r.Row.Channels),

		Etag:       r.Etag(),
		CreateTime: timestamppb.New(r.CreatedAt),
		UpdateTime: timestamppb.New(r.UpdatedAt),
	}
}

func event(r *record.Record[Row], c *eventsv1.Change) {
	c.Payload = &eventsv1.Change_Product{Product: &eventsv1.ProductState{
		Code:      r.Row.Code,
		Name:      r.Row.Name,
		Family:    r.Row.Family,
		Currency:  r.Row.Currency,
		Margin:    record.DecimalText(r.Row.Margin),
		ValidFrom: record.DateText(r.Row.ValidFrom),
		ValidTo:   record.DateText(r.Row.ValidTo),

		AnnualRate: record.DecimalText(r.Row.AnnualRate),
		AmountMin:  record.Amount(r.Row.AmountMin, r.Row.AmountCurrency),
		AmountMax:  record.Amount(r.Row.AmountMax, r.Row.AmountCurrency),
		MonthsMin:  r.Row.MonthsMin,
		MonthsMax:  r.Row.MonthsMax,
		Channels:   r.Row.Channels,
	}}
}
