// Package fact turns changes of the operational half into rows of the warehouse: one file for each business word, with
// the row, its table and how it is read from an event. It does no I/O except the inserts of a finished batch.
package fact

import (
	"fmt"
	"time"

	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/warehouse"
)

// InvalidError says why a change can't become a row. No repetition helps: the message is put aside.
type InvalidError struct {
	// Field of the change, for example "transaction_bundle.transactions[3].base_value".
	Field string
	// Reason in a few words.
	Reason string
}

// Error names the field and the reason.
func (e *InvalidError) Error() string { return e.Field + ": " + e.Reason }

func invalid(field, format string, args ...any) error {
	return &InvalidError{Field: field, Reason: fmt.Sprintf(format, args...)}
}

// record is what every row has.
type record struct {
	id         uint64
	version    uint64
	deleted    uint8
	changeTime time.Time
}

// recordOf reads what every change has.
func recordOf(c *eventsv1.Change) (record, error) {
	if c.GetEntityId() <= 0 {
		return record{}, invalid("entity_id", "must be positive, is %d", c.GetEntityId())
	}
	if c.GetVersion() < 0 {
		return record{}, invalid("version", "must not be negative, is %d", c.GetVersion())
	}
	at := c.GetChangeTime()
	if !at.IsValid() {
		return record{}, invalid("change_time", "must be a point in time")
	}
	r := record{id: uint64(c.GetEntityId()), version: uint64(c.GetVersion()), changeTime: at.AsTime()} //nolint:gosec // checked above
	if r.changeTime.Before(timeMin) || r.changeTime.After(timeMax) {
		return record{}, invalid("change_time", "%s is out of range", r.changeTime.Format(time.RFC3339))
	}
	if c.GetDeleted() {
		r.deleted = 1
	}
	return r, nil
}

// with returns the columns of a table of records: its identity, its own columns, and those that every row has. R
// embeds record, which the function given finds.
func with[R any](id string, rec func(*R) *record, own ...warehouse.Column[R]) []warehouse.Column[R] {
	columns := []warehouse.Column[R]{warehouse.Col(id, func(r *R) uint64 { return rec(r).id })}
	columns = append(columns, own...)
	return append(columns,
		warehouse.Col("version", func(r *R) uint64 { return rec(r).version }),
		warehouse.Col("deleted", func(r *R) uint8 { return rec(r).deleted }),
		warehouse.Col("change_time", func(r *R) time.Time { return rec(r).changeTime }),
	)
}
