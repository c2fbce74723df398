package interaction

import (
	"context"

	"github.com/jackc/pgx/v5"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
)

// LastForCustomer returns a customer's last interactions, newest first.
func LastForCustomer(ctx context.Context, q record.Querier, customerID int64, limit int) ([]*crmv1.Interaction, error) {
	found, err := Table.Select(ctx, q, "customer_id = $1 ORDER BY opened_at DESC, interaction_id DESC LIMIT $2", customerID, limit)
	if err != nil {
		return nil, err
	}
	return record.Protos(found, toProto), nil
}

// OpenComplaints counts a customer's complaints that are not resolved.
func OpenComplaints(ctx context.Context, q record.Querier, customerID int64) (int32, error) {
	rows, err := q.Query(ctx, `SELECT count(*)::integer FROM interaction
WHERE customer_id = $1 AND kind = 'complaint' AND resolved_at IS NULL`, customerID)
	if err != nil {
		return 0, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowTo[int32])
}
