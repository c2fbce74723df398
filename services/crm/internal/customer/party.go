package customer

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"tandem.bank/services/crm/internal/record"
)

// Party is a customer as others speak of it.
type Party struct {
	// ID is the customer number.
	ID int64
	// Kind is KindIndividual or KindOrganisation.
	Kind string
	// Name that people call it by; may be empty.
	Name string
	// BirthDate of an individual.
	BirthDate pgtype.Date
}

// Parties returns customers by number; those that do not exist are left out.
func Parties(ctx context.Context, q record.Querier, ids []int64) (map[int64]*Party, error) {
	rows, err := q.Query(ctx, `SELECT customer_id, kind,
    CASE kind WHEN 'organisation' THEN legal_name ELSE btrim(given_name || ' ' || family_name) END, birth_date
FROM customer WHERE customer_id = ANY($1)`, ids)
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, pgx.RowToAddrOfStructByPos[Party])
	if err != nil {
		return nil, err
	}
	byID := make(map[int64]*Party, len(found))
	for _, p := range found {
		byID[p.ID] = p
	}
	return byID, nil
}
