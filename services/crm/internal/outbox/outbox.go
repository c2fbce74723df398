// Package outbox leaves a change in the transaction that makes it, and looks after the partitions of the outbox table.
//
// The table is insert-only. The relay publishes its rows from the write-ahead log; whole partitions are dropped when
// they are old enough and published.
package outbox

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/natsx"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
)

// ErrTooLarge says that a change does not fit into one message. Bundles are to be closed at natsx.BundleBytesTarget.
var ErrTooLarge = errors.New("change is larger than a message may be")

//go:embed append.sql
var appendSQL string

//go:embed append_one.sql
var appendOneSQL string

// payloadOneof is the oneof of Change that holds the state; the name of its field is the name of the entity.
var payloadOneof = (&eventsv1.Change{}).ProtoReflect().Descriptor().Oneofs().ByName("payload")

// deferring is a transaction that sends statements together with its commit.
type deferring interface {
	Queue(sql string, args ...any)
}

// Append writes the changes to the outbox in one statement, within the caller's transaction.
//
// It completes the changes in place: event_id (a new UUIDv7), entity (from the payload), change_time (the transaction's
// start by the database's clock), actor and trace_parent (from the context), each only where it is empty. A caller that
// has read now() in this transaction saves one round trip by setting change_time. A change without payload, with a
// version below 1 or larger than natsx.PayloadBytesMax is an error, and nothing is written.
func Append(ctx context.Context, tx pgx.Tx, changes []*eventsv1.Change) error {
	if len(changes) == 0 {
		return nil
	}
	changeTime, err := transactionTime(ctx, tx, changes)
	if err != nil {
		return err
	}
	batch := &pgx.Batch{}
	if err := queue(ctx, batch, changes, changeTime); err != nil {
		return err
	}
	return Send(ctx, tx, batch)
}

// Send sends statements whose results nobody needs: at once, or together with the commit of a transaction that can.
func Send(ctx context.Context, tx pgx.Tx, batch *pgx.Batch) error {
	if last, ok := tx.(deferring); ok {
		for _, statement := range batch.QueuedQueries {
			last.Queue(statement.SQL, statement.Arguments...)
		}
		return nil
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("append to outbox: %w", err)
	}
	return nil
}

// Queue adds the statement of Append to others that go to the database together: they cost one round trip. Every change
// must have its change_time.
func Queue(ctx context.Context, batch *pgx.Batch, changes []*eventsv1.Change) error {
	for i, c := range changes {
		if c.GetChangeTime() == nil {
			return fmt.Errorf("change %d: change_time: must be set", i)
		}
	}
	if len(changes) == 0 {
		return nil
	}
	return queue(ctx, batch, changes, nil)
}

func queue(ctx context.Context, batch *pgx.Batch, changes []*eventsv1.Change, changeTime *timestamppb.Timestamp) error {
	actor, traceParent := Actor(ctx), traceParent(ctx)
	c := newColumns(len(changes))
	for i, change := range changes {
		if err := complete(change, changeTime, actor, traceParent); err != nil {
			return fmt.Errorf("change %d: %w", i, err)
		}
		if err := c.add(change); err != nil {
			return fmt.Errorf("change %d (%s %d): %w", i, change.GetEntity(), change.GetEntityId(), err)
		}
	}
	sql, args := c.statement()
	batch.Queue(sql, args...)
	return nil
}

// transactionTime asks the database only when a change needs it.
func transactionTime(ctx context.Context, tx pgx.Tx, changes []*eventsv1.Change) (*timestamppb.Timestamp, error) {
	for _, c := range changes {
		if c.GetChangeTime() != nil {
			continue
		}
		var now time.Time
		if err := tx.QueryRow(ctx, "SELECT now()").Scan(&now); err != nil {
			return nil, fmt.Errorf("read the transaction's time: %w", err)
		}
		return timestamppb.New(now), nil
	}
	return nil, nil //nolint:nilnil // every change has its time, none is needed
}

func complete(c *eventsv1.Change, changeTime *timestamppb.Timestamp, actor, traceParent string) error {
	field := c.ProtoReflect().WhichOneof(payloadOneof)
	if field == nil {
		return errors.New("payload: must be set")
	}
	if c.GetEntity() == "" {
		c.Entity = string(field.Name())
	}
	if protoreflect.Name(c.GetEntity()) != field.Name() {
		return fmt.Errorf("entity: %q does not match the payload %q", c.GetEntity(), field.Name())
	}
	if c.GetVersion() < 1 {
		return fmt.Errorf("version: must be at least 1, is %d", c.GetVersion())
	}
	if c.GetEventId() == "" {
		id, err := uuid.NewV7()
		if err != nil {
			return fmt.Errorf("event_id: %w", err)
		}
		c.EventId = id.String()
	}
	if c.GetChangeTime() == nil {
		c.ChangeTime = changeTime
	}
	if c.GetActor() == "" {
		c.Actor = actor
	}
	if c.GetTraceParent() == "" {
		c.TraceParent = traceParent
	}
	return nil
}

// columns are the changes as the statement takes them, one array per column.
type columns struct {
	eventIDs  []pgtype.UUID
	entities  []string
	entityIDs []int64
	versions  []int64
	deleted   []bool
	payloads  [][]byte
}

func newColumns(n int) *columns {
	return &columns{
		eventIDs: make([]pgtype.UUID, 0, n), entities: make([]string, 0, n), entityIDs: make([]int64, 0, n),
		versions: make([]int64, 0, n), deleted: make([]bool, 0, n), payloads: make([][]byte, 0, n),
	}
}

func (c *columns) statement() (sql string, args []any) {
	if len(c.entities) == 1 {
		return appendOneSQL, []any{c.eventIDs[0], c.entities[0], c.entityIDs[0], c.versions[0], c.deleted[0], c.payloads[0]}
	}
	return appendSQL, []any{c.eventIDs, c.entities, c.entityIDs, c.versions, c.deleted, c.payloads}
}

func (c *columns) add(change *eventsv1.Change) error {
	id, err := uuid.Parse(change.GetEventId())
	if err != nil {
		return fmt.Errorf("event_id: %w", err)
	}
	payload, err := proto.Marshal(change)
	if err != nil {
		return fmt.Errorf("serialise: %w", err)
	}
	// Refused here, where the caller learns of it: in the relay it would stand in the way of everything behind it.
	if len(payload) > natsx.PayloadBytesMax {
		return fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(payload), natsx.PayloadBytesMax)
	}
	c.eventIDs = append(c.eventIDs, pgtype.UUID{Bytes: id, Valid: true})
	c.entities = append(c.entities, change.GetEntity())
	c.entityIDs = append(c.entityIDs, change.GetEntityId())
	c.versions = append(c.versions, change.GetVersion())
	c.deleted = append(c.deleted, change.GetDeleted())
	c.payloads = append(c.payloads, payload)
	return nil
}
