package customer

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Known returns those of the customers that exist.
func Known(ctx context.Context, tx pgx.Tx, customerIDs []int64) ([]int64, error) {
	rows, err := tx.Query(ctx, "SELECT customer_id FROM customer WHERE customer_id = ANY($1)", customerIDs)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}
