package relation

import (
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/customer"
	"tandem.bank/services/crm/internal/record"
)

// nearSQL takes one step and reads the relations and the parties that it finds with it.
var nearSQL = "SELECT " + Table.Columns() + `, step_inverse, party_id, party_name, party_birth_date
FROM (SELECT relation_id AS step_id, inverse AS step_inverse, party_id AS step_party FROM (` + stepSQL + `) s) s
JOIN relation ON relation_id = step_id
LEFT JOIN (` + customer.PartySQL + `) p ON party_id = step_party
ORDER BY step_id`

var everyType = record.EnumTexts[crmv1.RelationType]()

// ForCustomer reads who is related to a customer today, directly, by at most so many relations, the oldest first.
func ForCustomer(into *[]*crmv1.Connection, customerID int64, limit int) record.Part {
	from := []int64{customerID}
	args := []any{from, from, everyType, nil, limit}
	return record.Part{SQL: nearSQL, Args: args, Take: func(rows pgx.Rows) error {
		relations, parties := map[int64]*stored{}, map[int64]*customer.Party{}
		steps, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (step, error) {
			s := step{From: customerID}
			var name *string
			var born pgtype.Date
			r, err := Table.Scan(row, &s.Inverse, &s.Party, &name, &born)
			if err != nil {
				return s, err
			}
			s.RelationID, relations[r.ID] = r.ID, r
			if s.Party != nil {
				parties[*s.Party] = &customer.Party{ID: *s.Party, Name: *name, BirthDate: born}
			}
			return s, nil
		})
		if err != nil {
			return err
		}
		e := begin(Walk{CustomerID: customerID, Depth: 1, FanOutMax: limit, PartiesMax: limit})
		e.take(steps, 1)
		*into = e.connectionProtos(relations, parties)
		return nil
	}}
}
