package fact

import (
	"cmp"
	"time"

	"github.com/shopspring/decimal"

	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/warehouse"
)

type product struct {
	record
	code, name, family, currency string
	margin                       *decimal.Decimal
	validFrom, validTo           *time.Time
	annualRate                   *decimal.Decimal
	amountMin, amountMax         *decimal.Decimal
	amountCurrency               string
	monthsMin, monthsMax         uint32
	channels                     []string
}

var productTable = warehouse.NewTable("product", with("product_id", func(r *product) *record { return &r.record },
	warehouse.Col("code", func(r *product) string { return r.code }),
	warehouse.Col("name", func(r *product) string { return r.name }),
	warehouse.Col("family", func(r *product) string { return r.family }),
	warehouse.Col("currency", func(r *product) string { return r.currency }),
	warehouse.Col("margin", func(r *product) *decimal.Decimal { return r.margin }),
	warehouse.Col("valid_from", func(r *product) *time.Time { return r.validFrom }),
	warehouse.Col("valid_to", func(r *product) *time.Time { return r.validTo }),
	warehouse.Col("annual_rate", func(r *product) *decimal.Decimal { return r.annualRate }),
	warehouse.Col("amount_min", func(r *product) *decimal.Decimal { return r.amountMin }),
	warehouse.Col("amount_max", func(r *product) *decimal.Decimal { return r.amountMax }),
	warehouse.Col("amount_currency", func(r *product) string { return r.amountCurrency }),
	warehouse.Col("months_min", func(r *product) uint32 { return r.monthsMin }),
	warehouse.Col("months_max", func(r *product) uint32 { return r.monthsMax }),
	warehouse.Col("channels", func(r *product) []string { return r.channels }),
)...)

func productOf(rec record, s *eventsv1.ProductState) (product, error) {
	f := fields{prefix: "product"}
	amountMin, currencyMin := f.amount("amount_min", s.GetAmountMin())
	amountMax, currencyMax := f.amount("amount_max", s.GetAmountMax())
	return product{
		record:    rec,
		code:      s.GetCode(),
		name:      s.GetName(),
		family:    s.GetFamily(),
		currency:  s.GetCurrency(),
		margin:    f.decimal("margin", s.GetMargin(), marginDigits, marginScale),
		validFrom: f.day("valid_from", s.GetValidFrom()),
		validTo:   f.day("valid_to", s.GetValidTo()),

		annualRate:     f.decimal("annual_rate", s.GetAnnualRate(), marginDigits, marginScale),
		amountMin:      amountMin,
		amountMax:      amountMax,
		amountCurrency: cmp.Or(currencyMin, currencyMax),
		monthsMin:      f.count("months_min", s.GetMonthsMin()),
		monthsMax:      f.count("months_max", s.GetMonthsMax()),
		channels:       s.GetChannels(),
	}, f.fault()
}
