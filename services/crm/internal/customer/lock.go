package customer

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// Lock makes others who lock the same customer wait until the transaction ends, and returns the database's time from
// after the wait: what is done to a customer under the lock has times in the order in which it happens.
func Lock(ctx context.Context, tx pgx.Tx, customerID int64) (time.Time, error) {
	var now time.Time
	err := tx.QueryRow(ctx, `WITH locked AS MATERIALIZED (SELECT customer_id FROM customer WHERE customer_id = $1 FOR NO KEY UPDATE)
SELECT clock_timestamp() FROM locked`, customerID).Scan(&now)
	return now, err
}
