package customerfact

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"tandem.bank/services/analytics/internal/warehouse"
)

// line is a row of customer_change.
type line struct {
	storedTime    time.Time
	cause, entity string
	entityID      uint64
}

var journal = warehouse.NewTable("customer_change",
	warehouse.Col("stored_time", func(l *line) time.Time { return l.storedTime }),
	warehouse.Col("cause", func(l *line) string { return l.cause }),
	warehouse.Col("entity", func(l *line) string { return l.entity }),
	warehouse.Col("entity_id", func(l *line) uint64 { return l.entityID }),
)

// writeDown keeps what changed until it was done, and some days longer.
func (s *Service) writeDown(ctx context.Context, t *touched) error {
	now := time.Now().UTC()
	lines := make([]line, 0, t.count+1)
	if t.everybody {
		lines = append(lines, line{storedTime: now, cause: CauseRebuild})
	}
	for cause, ids := range t.records {
		for id := range ids {
			lines = append(lines, line{storedTime: now, cause: cause, entity: t.entities[cause], entityID: id})
		}
	}
	if err := journal.Insert(ctx, s.warehouse, lines); err != nil {
		return fmt.Errorf("customer facts: write changes down: %w", err)
	}
	return nil
}

// writtenDown reads what changed since a moment.
func (s *Service) writtenDown(ctx context.Context, since time.Time) (*touched, error) {
	const query = `SELECT DISTINCT cause, entity, entity_id FROM customer_change WHERE stored_time >= toDateTime64(?, 6, 'UTC') LIMIT ?`
	t := newTouched()
	err := s.each(ctx, "read changes", func(rows driver.Rows) error {
		var l line
		if err := rows.Scan(&l.cause, &l.entity, &l.entityID); err != nil {
			return err
		}
		if l.cause == CauseRebuild {
			t.everybody = true
			return nil
		}
		t.add(l.cause, l.entity, []uint64{l.entityID})
		return nil
	}, query, since.UTC().Format(timeLayout), uint64(recordsMax+1))
	return t, err
}
