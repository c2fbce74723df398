// Package product is the catalogue of what the bank sells.
package product

import (
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/shopspring/decimal"

	"tandem.bank/pkg/apperr"
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
}

// Table keeps products; other rooms refer to it.
var Table = record.NewTable[Row]("product", sight.Everybody)

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
}

// change keeps a product's validity in order.
func change(_, updated *Row) error {
	if updated.ValidTo.Valid && updated.ValidFrom.Valid && updated.ValidTo.Time.Before(updated.ValidFrom.Time) {
		return apperr.InvalidField("valid_to", "must not be before valid_from")
	}
	return nil
}
