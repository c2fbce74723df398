// Package document is the documents of customers: their texts, and where the originals lie.
package document

import (
	"time"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/filter"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
	"tandem.bank/services/crm/internal/sight"
)

// Row is a document as Postgres keeps it.
type Row struct {
	CustomerID    *int64     `json:"customer_id"`
	Kind          string     `json:"kind"`
	Title         string     `json:"title"`
	Language      string     `json:"language"`
	Text          string     `json:"text"`
	TextBytes     int32      `json:"text_bytes"`
	MediaType     string     `json:"media_type"`
	OriginalURI   string     `json:"original_uri"`
	DocumentAt    *time.Time `json:"document_at"`
	AccountID     *int64     `json:"account_id"`
	ContractID    *int64     `json:"contract_id"`
	InteractionID *int64     `json:"interaction_id"`
}

// Table keeps documents.
var Table = record.NewTable[Row]("document", sight.ByCustomer("document.customer_id"))

// The text is not here: a filter over it would read all texts of the bank. They are found by the search.
var schema = filter.Schema{
	{Name: "document_id", Column: "document_id", Kind: filter.Int, Required: true, Indexed: true},
	{Name: "key.source", Column: "source", Kind: filter.Text},
	{Name: "key.external_id", Column: "external_id", Kind: filter.Text},
	{Name: "customer_id", Column: "customer_id", Kind: filter.Int, Required: true},
	{Name: "kind", Column: "kind", Kind: filter.Enum, Values: record.EnumTexts[crmv1.DocumentKind](), Required: true},
	{Name: "title", Column: "title", Kind: filter.Text},
	{Name: "language", Column: "language", Kind: filter.Text},
	{Name: "text_bytes", Column: "text_bytes", Kind: filter.Int, Required: true},
	{Name: "media_type", Column: "media_type", Kind: filter.Text},
	{Name: "original_uri", Column: "original_uri", Kind: filter.Text},
	{Name: "document_time", Column: "document_at", Kind: filter.Time},
	{Name: "account_id", Column: "account_id", Kind: filter.Int},
	{Name: "contract_id", Column: "contract_id", Kind: filter.Int},
	{Name: "interaction_id", Column: "interaction_id", Kind: filter.Int},
	{Name: "create_time", Column: "created_at", Kind: filter.Time, Required: true},
	{Name: "update_time", Column: "updated_at", Kind: filter.Time, Required: true},
}

// OfCustomer are a customer's documents, for lists of customers.
var OfCustomer = schema.Of(&filter.Related{Name: "documents", From: "document d", Key: "d.customer_id", Of: "customer.customer_id"}, "d",
	"document_id", "kind", "language", "text_bytes", "media_type", "document_time", "account_id", "contract_id", "interaction_id")

// change keeps whose document it is: what one customer's document says must not turn up with another.
func change(old, updated *Row) error {
	if old != nil && *old.CustomerID != *updated.CustomerID {
		return apperr.InvalidField("customer_id", "can't change")
	}
	return nil
}
