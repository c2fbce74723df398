// Package product is the catalogue of what the bank sells.
package product

import (
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/shopspring/decimal"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/date"
	"tandem.bank/pkg/filter"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
	"tandem.bank/services/crm/internal/sight"
)

// Row is a product as Postgres keeps it.
type Row struct {
	Code      string              `json:"code"`
	Name      string              `json:"name"`
	Family    string              `json:"family"`
	Currency  string              `json:"currency"`
	Margin    decimal.NullDecimal `json:"margin"`
	ValidFrom pgtype.Date         `json:"valid_from"`
	ValidTo   pgtype.Date         `json:"valid_to"`

	Description string              `json:"description"`
	AnnualRate  decimal.NullDecimal `json:"annual_rate"`
	// The amounts are in one currency, that of the product where it has one.
	AmountMin      decimal.NullDecimal `json:"amount_min"`
	AmountMax      decimal.NullDecimal `json:"amount_max"`
	AmountCurrency string              `json:"amount_currency"`
	MonthsMin      int32               `json:"months_min"`
	MonthsMax      int32               `json:"months_max"`
	Channels       []string            `json:"channels"`
}

// Table keeps products; other rooms refer to it.
var Table = record.NewTable[Row]("product", sight.Everybody)

// stateSQL is the state of a product on the bank's day.
const stateSQL = `(CASE WHEN valid_from > current_date THEN 'planned' WHEN valid_to < current_date THEN 'withdrawn' ELSE 'on_sale' END)`

// stateOn is the same for a product and a day that are known.
func stateOn(p *crmv1.Product, day time.Time) crmv1.ProductState {
	from, _ := date.Time(p.GetValidFrom())
	to, _ := date.Time(p.GetValidTo())
	switch {
	case p.GetValidFrom() != nil && from.After(day):
		return crmv1.ProductState_PRODUCT_STATE_PLANNED
	case p.GetValidTo() != nil && to.Before(day):
		return crmv1.ProductState_PRODUCT_STATE_WITHDRAWN
	default:
		return crmv1.ProductState_PRODUCT_STATE_ON_SALE
	}
}

var schema = filter.Schema{
	{Name: "product_id", Column: "product_id", Kind: filter.Int, Required: true, Indexed: true},
	{Name: "key.source", Column: "source", Kind: filter.Text},
	{Name: "key.external_id", Column: "external_id", Kind: filter.Text},
	{Name: "code", Column: "code", Kind: filter.Text},
	{Name: "name", Column: "name", Kind: filter.Text},
	{Name: "family", Column: "family", Kind: filter.Enum, Values: record.EnumTexts[crmv1.ProductFamily]()},
	{Name: "currency", Column: "currency", Kind: filter.Text},
	{Name: "margin", Column: "margin", Kind: filter.Decimal},
	{Name: "valid_from", Column: "valid_from", Kind: filter.Date},
	{Name: "valid_to", Column: "valid_to", Kind: filter.Date},
	{Name: "description", Column: "description", Kind: filter.Text},
	{Name: "annual_rate", Column: "annual_rate", Kind: filter.Decimal},
	{Name: "amount_min", Column: "amount_min", Kind: filter.Decimal},
	{Name: "amount_max", Column: "amount_max", Kind: filter.Decimal},
	{Name: "months_min", Column: "months_min", Kind: filter.Int, Required: true},
	{Name: "months_max", Column: "months_max", Kind: filter.Int, Required: true},
	{Name: "channels", Column: "channels", Kind: filter.Enum, Values: record.EnumTexts[crmv1.Channel](), Repeated: filter.Array},
	{Name: "create_time", Column: "created_at", Kind: filter.Time, Required: true},
	{Name: "update_time", Column: "updated_at", Kind: filter.Time, Required: true},
	{Name: "state", Column: stateSQL, Kind: filter.Enum, Values: record.EnumTexts[crmv1.ProductState](), Required: true},
}

// change keeps a product's validity in order.
func change(_, updated *Row) error {
	if updated.ValidTo.Valid && updated.ValidFrom.Valid && updated.ValidTo.Time.Before(updated.ValidFrom.Time) {
		return apperr.InvalidField("valid_to", "must not be before valid_from")
	}
	return nil
}
