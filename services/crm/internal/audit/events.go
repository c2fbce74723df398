package audit

import (
	"context"
	_ "embed"
	"time"

	"github.com/jackc/pgx/v5"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
)

//go:embed events.sql
var eventsSQL string

// eventsWindow is how much of the outbox is compared by one statement.
const eventsWindow = time.Hour

// entityBlock is the entity whose events tell of the chain itself, not of a change.
const entityBlock = "audit_block"

// published are the entities whose changes travel as events.
func published() (entities []string) {
	payloads := (&eventsv1.Change{}).ProtoReflect().Descriptor().Oneofs().ByName("payload").Fields()
	for i := range payloads.Len() {
		if name := string(payloads.Get(i).Name()); name != entityBlock {
			entities = append(entities, name)
		}
	}
	return entities
}

// events holds the changes against the events that they left in the outbox, as far as it reaches back. It is what tells
// that an entry was deleted before it was sealed, or that one was made up.
func (v *verification) events(ctx context.Context) error {
	var from, now *time.Time
	if err := v.pool.QueryRow(ctx, "SELECT min(created_at), now() FROM outbox").Scan(&from, &now); err != nil || from == nil {
		return err
	}
	entities := published()
	for start := *from; !start.After(*now) && v.found < findingsMax; start = start.Add(eventsWindow) {
		if err := v.window(ctx, start, start.Add(eventsWindow), entities); err != nil {
			return err
		}
		if err := v.sendStep(false); err != nil {
			return err
		}
	}
	return nil
}

// window compares what began from one moment to before another: an event and its entry bear the time of their transaction.
func (v *verification) window(ctx context.Context, from, to time.Time, entities []string) error {
	rows, err := v.pool.Query(ctx, eventsSQL, from, to, entities, findingsMax-v.found)
	if err != nil {
		return err
	}
	var (
		events, entityID, version, entryID int64
		entity, actor                      string
		at                                 *time.Time
		missing                            bool
	)
	_, err = pgx.ForEachRow(rows, []any{&events, &entity, &entityID, &version, &at, &missing, &entryID, &actor}, func() error {
		switch {
		case at == nil:
			v.step.EventsCompared += events
		case missing:
			v.find(crmv1.AuditFault_AUDIT_FAULT_EVENT_WITHOUT_ENTRY, 0, 0,
				"version %d of %s %d was published, %s, and no entry tells who made it", version, entity, entityID, at.UTC().Format(time.RFC3339))
		default:
			v.find(crmv1.AuditFault_AUDIT_FAULT_ENTRY_WITHOUT_EVENT, 0, entryID,
				"entry %d tells of version %d of %s %d by %s, %s, and no event does", entryID, version, entity, entityID, actor, at.UTC().Format(time.RFC3339))
		}
		return nil
	})
	return err
}
