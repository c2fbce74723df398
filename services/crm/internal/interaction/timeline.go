package interaction

import (
	"github.com/jackc/pgx/v5"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
)

// LastForCustomer reads a customer's last interactions, newest first.
func LastForCustomer(into *[]*crmv1.Interaction, customerID int64, limit int) record.Part {
	return Table.Part(func(found []*record.Record[Row]) { *into = record.Protos(found, toProto) },
		"customer_id = $1 ORDER BY opened_at DESC, interaction_id DESC LIMIT $2", customerID, limit)
}

// OpenComplaints counts a customer's complaints that are not resolved.
func OpenComplaints(into *int32, customerID int64) record.Part {
	sql := "SELECT count(*)::integer FROM interaction WHERE customer_id = $1 AND kind = 'complaint' AND resolved_at IS NULL"
	return record.Part{SQL: sql, Args: []any{customerID}, Take: func(rows pgx.Rows) (err error) {
		*into, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[int32])
		return err
	}}
}
