package account

import (
	"context"

	"github.com/jackc/pgx/v5"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
)

// current selects the holdings of today, by the calendar of the database session.
const current = "(valid_from IS NULL OR valid_from <= current_date) AND (valid_to IS NULL OR valid_to >= current_date)"

// Owners selects who owns which account today, as owned_id and owner_id, for the rooms that ask by account.
const Owners = "SELECT account_id AS owned_id, customer_id AS owner_id FROM account_holder WHERE role = 'owner' AND " + current

// OwnedBy selects the ids of the accounts that the customer in $1 owns today, for the rooms that ask by account.
const OwnedBy = "SELECT account_id FROM account_holder WHERE customer_id = $1 AND role = 'owner' AND " + current

// heldSQL reads the accounts that the customer in $1 holds today, at most $2, oldest holding first, each with the role and
// with everybody who holds it.
var heldSQL = "SELECT " + Table.Columns() + `, held_role,
    ARRAY(SELECT customer_id FROM account_holder WHERE account_id = held_id AND ` + current + `)
FROM account JOIN (
    SELECT account_holder_id AS held_since, account_id AS held_id, role AS held_role FROM account_holder
    WHERE customer_id = $1 AND ` + current + ` ORDER BY account_holder_id LIMIT $2
) h ON held_id = account_id ORDER BY held_since`

// ForCustomer reads the accounts that a customer holds today, with the role, oldest holding first. heldBy is told of each
// account who holds it; a holder of several roles comes once for each.
func ForCustomer(into *[]*crmv1.HeldAccount, heldBy func(accountID int64, customerIDs []int64), customerID int64, limit int) record.Part {
	return record.Part{SQL: heldSQL, Args: []any{customerID, limit}, Take: func(rows pgx.Rows) (err error) {
		var role string
		var holders []int64
		scanner := Table.Scanner(&role, &holders)
		*into, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (*crmv1.HeldAccount, error) {
			a, err := scanner.Scan(row)
			if err != nil {
				return nil, err
			}
			heldBy(a.ID, holders)
			return &crmv1.HeldAccount{Account: toProto(a), Role: record.EnumValue[crmv1.HolderRole](role)}, nil
		})
		return err
	}}
}

// customersOf selects who holds the accounts $1. The array comes by a subquery: its length would be a reason to plan each
// statement anew, which costs several times the look-up itself.
const customersOf = `SELECT DISTINCT customer_id FROM account_holder
WHERE account_id = ANY((SELECT $1::bigint[])::bigint[]) AND ` + current + ` ORDER BY 1`

// CustomersOf returns a function that tells who holds accounts today, in any role.
func CustomersOf(q record.Querier) func(ctx context.Context, accountIDs []int64) ([]int64, error) {
	return func(ctx context.Context, accountIDs []int64) ([]int64, error) {
		rows, err := q.Query(ctx, customersOf, accountIDs)
		if err != nil {
			return nil, err
		}
		return pgx.CollectRows(rows, pgx.RowTo[int64])
	}
}

// Holders returns holdings by id.
func Holders(ctx context.Context, q record.Querier, ids []int64) (map[int64]*HolderRow, error) {
	found, err := HolderTable.Select(ctx, q, "account_holder_id = ANY($1)", ids)
	if err != nil {
		return nil, err
	}
	byID := make(map[int64]*HolderRow, len(found))
	for _, h := range found {
		byID[h.ID] = &h.Row
	}
	return byID, nil
}
