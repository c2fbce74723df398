package customer

import (
	"context"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"tandem.bank/services/crm/internal/record"
	"tandem.bank/services/crm/internal/sight"
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

// Conceal leaves of a party what anybody may know who sees a relation to it: its number.
func (p *Party) Conceal() { *p = Party{ID: p.ID} }

// ConcealUnseen conceals the parties whom the caller does not see.
func ConcealUnseen(ctx context.Context, q record.Querier, parties map[int64]*Party) error {
	if sight.Of(ctx).AllRows() {
		return nil
	}
	seen, err := Table.Sees(ctx, q, slices.Collect(maps.Keys(parties))...)
	for id, p := range parties {
		if !seen[id] {
			p.Conceal()
		}
	}
	return err
}

// PartySQL selects customers as others speak of them, for the rooms that join them.
const PartySQL = `SELECT customer_id AS party_id, kind AS party_kind,
    CASE kind WHEN 'organisation' THEN legal_name ELSE btrim(given_name || ' ' || family_name) END AS party_name,
    birth_date AS party_birth_date
FROM customer`

// Parties returns customers by number; those that do not exist are left out.
func Parties(ctx context.Context, q record.Querier, ids []int64) (map[int64]*Party, error) {
	rows, err := q.Query(ctx, PartySQL+" WHERE customer_id = ANY($1)", ids)
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
