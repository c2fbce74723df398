package customer

import (
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"tandem.bank/services/crm/internal/record"
	"tandem.bank/services/crm/internal/request"
)

// Kinds of what customer_identifier keeps.
const (
	identifierPhone    = "phone"
	identifierEmail    = "email"
	identifierTaxID    = "tax_id"
	identifierDocument = "document"
)

// Identifier is a text that leads to a customer, in the form in which it is compared.
type Identifier struct{ Kind, Value string }

// Identifiers are what a customer is looked up by beside the columns: contact points, tax ids and documents.
func (r *Row) Identifiers() []Identifier {
	var out []Identifier
	add := func(kind, value string) {
		if i := (Identifier{kind, value}); value != "" && !slices.Contains(out, i) {
			out = append(out, i)
		}
	}
	for _, p := range r.ContactPoints {
		switch p.Kind {
		case contactPhone:
			add(identifierPhone, p.Value)
		case contactEmail:
			add(identifierEmail, strings.ToLower(p.Value))
		}
	}
	for _, id := range r.TaxIDs {
		add(identifierTaxID, strings.ToLower(id.Number))
	}
	for _, d := range r.IdentityDocuments {
		add(identifierDocument, strings.ToLower(d.Number))
	}
	return out
}

// keepIdentifiers brings the identifiers of those customers up to date whose identifiers changed.
func keepIdentifiers(ctx context.Context, tx pgx.Tx, records []*record.Record[Row], old []*Row) error {
	var stale, ids []int64
	var kinds, values []string
	for i, r := range records {
		var before []Identifier
		if old[i] != nil {
			before = old[i].Identifiers()
		}
		now := r.Row.Identifiers()
		if slices.Equal(before, now) {
			continue
		}
		if len(before) > 0 {
			stale = append(stale, r.ID)
		}
		for _, identifier := range now {
			ids, kinds, values = append(ids, r.ID), append(kinds, identifier.Kind), append(values, identifier.Value)
		}
	}
	if len(stale) > 0 {
		if err := request.Later(ctx, tx, nil, "DELETE FROM customer_identifier WHERE customer_id = ANY($1)", stale); err != nil {
			return err
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return request.Later(ctx, tx, nil, `INSERT INTO customer_identifier (customer_id, kind, value)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[])`, ids, kinds, values)
}

// keepBeside keeps what a change of customers leaves in further tables of the room.
func keepBeside(ctx context.Context, tx pgx.Tx, records []*record.Record[Row], old []*Row) error {
	if err := keepIdentifiers(ctx, tx, records, old); err != nil {
		return err
	}
	return keepStateChanges(ctx, tx, records, old)
}
