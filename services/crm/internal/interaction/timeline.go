package interaction

import (
	"github.com/jackc/pgx/v5"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
)

// lastSQL walks a customer's own interactions and those in which he only took part by their indexes, as far as the limit.
var lastSQL = `SELECT ` + Table.Columns() + ` FROM (
    (SELECT * FROM interaction WHERE customer_id = $1 ORDER BY opened_at DESC, interaction_id DESC LIMIT $2)
    UNION ALL
    (SELECT i.* FROM interaction_participant p JOIN interaction i USING (interaction_id)
     WHERE p.party = 'customer' AND p.party_id = $1 ORDER BY p.opened_at DESC, p.interaction_id DESC LIMIT $2)
) interaction ORDER BY opened_at DESC, interaction_id DESC LIMIT $2`

// LastForCustomer reads a customer's last interactions, newest first.
func LastForCustomer(into *[]*crmv1.Interaction, customerID int64, limit int) record.Part {
	return record.Part{SQL: lastSQL, Args: []any{customerID, limit}, Take: func(rows pgx.Rows) error {
		found, err := pgx.CollectRows(rows, Table.Scanner().Scan)
		*into = record.Protos(found, ToProto)
		return err
	}}
}

// OpenComplaints counts a customer's complaints that are not resolved.
func OpenComplaints(into *int32, customerID int64) record.Part {
	sql := "SELECT count(*)::integer FROM interaction WHERE customer_id = $1 AND kind = 'complaint' AND resolved_at IS NULL"
	return record.Part{SQL: sql, Args: []any{customerID}, Take: func(rows pgx.Rows) (err error) {
		*into, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[int32])
		return err
	}}
}
