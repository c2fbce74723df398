// Package audit keeps who changed and who read what, and seals it in a chain of blocks.
//
// An entry is written in the transaction of the change it tells of: neither can be without the other. Reads are written
// before they are answered, by one interceptor for every method that shows customers. A sealer closes blocks over the
// entries, each with the hash of the block before, and leaves every hash in the outbox: analytics keeps a copy, so that a
// chain that was cut or rewritten no longer fits it.
//
// A block closes about a second after its first entry, later when a long transaction holds the order open. What the owner of
// the database deletes before that is not missed by the chain. For changes it is missed all the same: each left an event in
// the outbox, with which verification compares the entries as far as the outbox reaches back (CRM_OUTBOX_RETENTION, a week),
// and analytics keeps time, record, version and actor of every event, with which `tandem audit verify` compares them too: so
// an entry that was deleted together with its event is missed as well. What stays open:
//   - Reads and refused attempts have no event. One that is deleted before it is sealed is gone. Gaps in entry_id prove
//     nothing: a transaction that was rolled back leaves them too.
//   - Who changes rows of records past the service leaves no entry at all: the audit tells what was done through Tandem.
package audit

import (
	"context"
	_ "embed"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Action is what was done.
type Action string

// Actions.
const (
	Create Action = "create"
	Update Action = "update"
	Delete Action = "delete"
	Read   Action = "read"
	Denied Action = "denied"
)

// entityCustomer is the entity whose id is a customer number.
const entityCustomer = "customer"

//go:embed append.sql
var appendSQL string

//go:embed append_one.sql
var appendOneSQL string

// Entry is one change or read; who, when and from where come from the context and the database.
type Entry struct {
	Action Action
	// Entity is the kind of record, EntityID its id (0: a list), Version the one that a change made.
	Entity   string
	EntityID int64
	Version  int64
	// CustomerID is the customer whom the record is about; 0 when there is none.
	CustomerID int64
	// CustomerIDs are the other customers: whom an answer showed, or the other side of a relation.
	CustomerIDs []int64
	// Before and After are JSON of the changed columns; nil when there is nothing.
	Before, After []byte
}

// Append writes entries in one statement, within the transaction of the change.
func Append(ctx context.Context, tx pgx.Tx, entries []Entry) error {
	batch := &pgx.Batch{}
	Queue(ctx, batch, entries)
	if batch.Len() == 0 {
		return nil
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("append to audit: %w", err)
	}
	return nil
}

// Queue adds the statement of Append to others that go to the database together: they cost one round trip.
func Queue(ctx context.Context, batch *pgx.Batch, entries []Entry) {
	if len(entries) == 0 {
		return
	}
	note(ctx, entries)
	queue(batch, originOf(ctx), entries)
}

func queue(batch *pgx.Batch, o origin, entries []Entry) {
	n := len(entries)
	if n == 1 {
		e := entries[0]
		batch.Queue(appendOneSQL, o.actor, o.Peer, o.Method, o.RequestID, o.traceID, string(e.Action), e.Entity, e.EntityID, e.Version,
			e.CustomerID, arrayText(e.CustomerIDs), jsonText(e.Before), jsonText(e.After))
		return
	}
	actions, entities := make([]string, n), make([]string, n)
	ids, versions, customers := make([]int64, n), make([]int64, n), make([]int64, n)
	shown, before, after := make([]*string, n), make([]*string, n), make([]*string, n)
	for i, e := range entries {
		actions[i], entities[i] = string(e.Action), e.Entity
		ids[i], versions[i], customers[i] = e.EntityID, e.Version, e.CustomerID
		shown[i], before[i], after[i] = arrayText(e.CustomerIDs), jsonText(e.Before), jsonText(e.After)
	}
	batch.Queue(appendSQL, o.actor, o.Peer, o.Method, o.RequestID, o.traceID,
		actions, entities, ids, versions, customers, shown, before, after)
}

// arrayText writes numbers as Postgres reads an array: arrays of arrays of different lengths can't be bound.
func arrayText(ids []int64) *string {
	if len(ids) == 0 {
		return nil
	}
	var b strings.Builder
	b.WriteByte('{')
	for i, id := range ids {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatInt(id, 10))
	}
	b.WriteByte('}')
	text := b.String()
	return &text
}

func jsonText(raw []byte) *string {
	if raw == nil {
		return nil
	}
	text := string(raw)
	return &text
}
