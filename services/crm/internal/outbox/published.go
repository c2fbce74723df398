package outbox

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Published says whether the relay of a slot has published everything that transactions of the database below a number left
// in the outbox. The number is an xid8 in text.
func Published(ctx context.Context, tx pgx.Tx, slotName, xactID string) (bool, error) {
	var published bool
	err := tx.QueryRow(ctx, `SELECT EXISTS (
    SELECT FROM outbox_relay r, pg_control_system() c
    WHERE r.slot_name = $1 AND r.system_identifier = c.system_identifier AND NOT r.needs_replay AND r.published_before >= $2::text::xid8)`,
		slotName, xactID).Scan(&published)
	return published, err
}
