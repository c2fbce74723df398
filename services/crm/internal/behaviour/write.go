package behaviour

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/date"
	"tandem.bank/pkg/natsx"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/audit"
	"tandem.bank/services/crm/internal/outbox"
	"tandem.bank/services/crm/internal/record"
)

// columns are those of a row, in the order of values.
var columns = []string{
	"behaviour_event_id", "occurred_at", "source", "external_id", "customer_id", "visitor_id", "kind", "channel", "device", "page",
	"campaign", "product_id", "duration_seconds", "properties", "version",
}

func (r *Row) values() []any {
	return []any{
		r.ID, r.OccurredAt, r.Source, r.ExternalID, r.CustomerID, r.VisitorID, r.Kind, r.Channel, r.Device, r.Page,
		r.Campaign, r.ProductID, r.DurationSeconds, r.Properties, r.Version,
	}
}

// Columns is what Scan reads, for statements of others.
var Columns = strings.Join(columns, ", ") + ", created_at"

// Scan reads an event off Columns.
func Scan(row pgx.CollectableRow) (*Row, error) { return scanner()(row) }

// scanner returns what reads an event off Columns and, behind them, more columns into more.
func scanner(more ...any) func(pgx.CollectableRow) (*Row, error) {
	return func(row pgx.CollectableRow) (*Row, error) {
		r := &Row{}
		return r, row.Scan(append([]any{
			&r.ID, &r.OccurredAt, &r.Source, &r.ExternalID, &r.CustomerID, &r.VisitorID, &r.Kind, &r.Channel, &r.Device, &r.Page,
			&r.Campaign, &r.ProductID, &r.DurationSeconds, &r.Properties, &r.Version, &r.CreatedAt,
		}, more...)...)
	}
}

// write claims the keys, adds the events whose key is new, and leaves one event of the outbox and one entry of the audit
// for all of them.
func (r *Recorder) write(ctx context.Context, tx pgx.Tx, entries []*entry) error {
	if len(entries) == 0 {
		return nil
	}
	if err := claim(ctx, tx, entries); err != nil {
		return err
	}
	var added []*Row
	for _, e := range entries {
		if e.outcome == crmv1.UpsertOutcome_UPSERT_OUTCOME_CREATED {
			added = append(added, e.row)
		}
	}
	if len(added) == 0 {
		return nil
	}
	if err := knowVisitors(ctx, tx, added); err != nil {
		return err
	}
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"behaviour_event"}, columns, pgx.CopyFromSlice(len(added), func(i int) ([]any, error) {
		return added[i].values(), nil
	}))
	if err != nil {
		return err
	}
	return r.publish(ctx, tx, added, audit.Create)
}

// claim gives each new key its id. Ids follow the order of the bundle, locks the order of the keys, so that two bundles
// can't deadlock; a key that is known settles its entry.
func claim(ctx context.Context, tx pgx.Tx, entries []*entry) error {
	keys, contents := make([]uuid.UUID, len(entries)), make([]int64, len(entries))
	byKey := make(map[uuid.UUID]*entry, len(entries))
	for i, e := range entries {
		keys[i], contents[i], byKey[e.keyHash] = e.keyHash, e.content, e
	}
	rows, err := tx.Query(ctx, `WITH numbered AS MATERIALIZED (
    SELECT nextval(pg_get_serial_sequence('behaviour_event_key', 'behaviour_event_id')) AS behaviour_event_id, k.*
    FROM unnest($1::uuid[], $2::bigint[]) WITH ORDINALITY AS k (key_hash, content_hash, position) ORDER BY position
)
INSERT INTO behaviour_event_key (behaviour_event_id, key_hash, content_hash) OVERRIDING SYSTEM VALUE
SELECT behaviour_event_id, key_hash, content_hash FROM numbered ORDER BY key_hash
ON CONFLICT DO NOTHING RETURNING key_hash, behaviour_event_id`, keys, contents)
	if err != nil {
		return err
	}
	var key uuid.UUID
	var id, content int64
	if _, err = pgx.ForEachRow(rows, []any{&key, &id}, func() error {
		byKey[key].row.ID, byKey[key].outcome = id, crmv1.UpsertOutcome_UPSERT_OUTCOME_CREATED
		return nil
	}); err != nil {
		return err
	}
	known := slices.DeleteFunc(keys, func(k uuid.UUID) bool { return byKey[k].outcome != 0 })
	if len(known) == 0 {
		return nil
	}
	rows, err = tx.Query(ctx, "SELECT key_hash, behaviour_event_id, content_hash FROM behaviour_event_key WHERE key_hash = ANY($1)", known)
	if err != nil {
		return err
	}
	_, err = pgx.ForEachRow(rows, []any{&key, &id, &content}, func() error {
		e := byKey[key]
		e.row.ID, e.outcome = id, crmv1.UpsertOutcome_UPSERT_OUTCOME_UNCHANGED
		if content != e.content {
			e.err = e.conflict()
		}
		return nil
	})
	return err
}

// knowVisitors gives events of visitors who were linked their customer. The visitors' rows stay locked, so that a link made
// at the same moment waits and then finds these events. An event that names its customer keeps it.
func knowVisitors(ctx context.Context, tx pgx.Tx, rows []*Row) error {
	var visitors []string
	for _, r := range rows {
		if r.CustomerID == nil {
			visitors = append(visitors, r.VisitorID)
		}
	}
	if len(visitors) == 0 {
		return nil
	}
	slices.Sort(visitors)
	visitors = slices.Compact(visitors)
	batch := &pgx.Batch{}
	batch.Queue("INSERT INTO visitor (visitor_id) SELECT v FROM unnest($1::text[]) AS v ORDER BY v ON CONFLICT DO NOTHING", visitors)
	known := map[string]int64{}
	batch.Queue("SELECT visitor_id, customer_id FROM visitor WHERE visitor_id = ANY($1) ORDER BY visitor_id FOR SHARE", visitors).
		Query(func(found pgx.Rows) error {
			var visitor string
			var customer *int64
			_, err := pgx.ForEachRow(found, []any{&visitor, &customer}, func() error {
				known[visitor] = record.Value(customer)
				return nil
			})
			return err
		})
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return err
	}
	for _, r := range rows {
		if customer := known[r.VisitorID]; r.CustomerID == nil && customer != 0 {
			r.CustomerID = &customer
		}
	}
	return nil
}

// publish leaves the events in the outbox of the same transaction, in bundles of a size that a message can hold.
func (r *Recorder) publish(ctx context.Context, tx pgx.Tx, rows []*Row, action audit.Action) error {
	var changes []*eventsv1.Change
	var bundle *eventsv1.BehaviourEventBundle
	bytes := 0
	for _, row := range rows {
		state := r.event(row)
		size := proto.Size(state)
		if bundle == nil || bytes+size > natsx.BundleBytesTarget {
			bundle, bytes = &eventsv1.BehaviourEventBundle{}, 0
			changes = append(changes, &eventsv1.Change{
				Entity: "behaviour_event_bundle", EntityId: row.ID, Version: int64(row.Version),
				Payload: &eventsv1.Change_BehaviourEventBundle{BehaviourEventBundle: bundle},
			})
		}
		bundle.Events = append(bundle.Events, state)
		bytes += size
	}
	if err := outbox.Append(ctx, tx, changes); err != nil {
		return err
	}
	entry, err := auditEntry(rows, action)
	if err != nil {
		return err
	}
	return audit.Append(ctx, tx, []audit.Entry{entry})
}

// auditEntry is the one entry of a bundle, as with transactions: events are facts of the site, kept by its own key.
func auditEntry(rows []*Row, action audit.Action) (audit.Entry, error) {
	first, last := rows[0].ID, rows[0].ID
	for _, r := range rows {
		first, last = min(first, r.ID), max(last, r.ID)
	}
	after, err := json.Marshal(map[string]int64{"events": int64(len(rows)), "first_behaviour_event_id": first, "last_behaviour_event_id": last})
	return audit.Entry{Action: action, Entity: "behaviour_event_bundle", EntityID: rows[0].ID, Version: int64(rows[0].Version), After: after}, err
}

// event leaves the properties in Postgres.
func (r *Recorder) event(row *Row) *eventsv1.BehaviourEventState {
	return &eventsv1.BehaviourEventState{
		BehaviourEventId: row.ID,
		Version:          int64(row.Version),
		CustomerId:       record.Value(row.CustomerID),
		VisitorId:        row.VisitorID,
		Kind:             row.Kind,
		Time:             record.TimeProto(row.OccurredAt),
		BusinessDate:     date.Text(row.OccurredAt.In(r.location)),
		Channel:          row.Channel,
		Device:           row.Device,
		Page:             row.Page,
		Campaign:         row.Campaign,
		ProductId:        record.Value(row.ProductID),
		DurationSeconds:  row.DurationSeconds,
	}
}
