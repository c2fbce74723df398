package record

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/check"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/audit"
	"tandem.bank/services/crm/internal/outbox"
	"tandem.bank/services/crm/internal/request"
	"tandem.bank/services/crm/internal/sight"
)

// Message is a resource of the API, for example *crmv1.Customer.
type Message interface {
	proto.Message
	GetKey() *crmv1.ExternalKey
}

// Room is what one kind of record has of its own.
type Room[P Message, R any] struct {
	// Table stores it.
	Table *Table[R]
	// Name of the resource in requests, for example "customer": the first part of its fields' paths.
	Name string
	// ToRow turns a message into a row and its references, and reports fields that the proto's own rules can't check.
	ToRow func(P) (R, []Reference, []apperr.Violation)
	// Resolved completes rows whose references are known, and checks them against other records; one call serves a whole
	// batch. It returns an error for each row, nil where it is right. Nil when there is nothing to do.
	Resolved func(ctx context.Context, q Querier, rows []*Record[R]) ([]error, error)
	// Change checks a new row against the stored one (nil for a new record): transitions and immutable fields. It may
	// fill in what the message left to the record: a default, or what is stored.
	Change func(old, updated *R) error
	// ToProto renders a record.
	ToProto func(*Record[R]) P
	// Event puts the state that analysis may see into a change.
	Event func(*Record[R], *eventsv1.Change)
	// Written follows what was written, in the same transaction and for a whole batch at once: what others keep about the
	// records changes with them. old holds the rows as they were, nil for a new record. Nil when nobody keeps anything.
	Written func(ctx context.Context, tx pgx.Tx, records []*Record[R], old []*R) error
	// Writable says which rows a caller may write, where it needs more than to see them; nil means those that are seen.
	Writable sight.Belonging
	// Deferred says that the table has deferred constraints, which hold for all rows of a batch together.
	Deferred bool
	// Replaces names, for an input-only field that stands for others, the stored fields that give way to it in an update.
	// A <name>_key that stands for <name>_id needs no entry.
	Replaces map[string][]string
	// OutputOnly names fields beside key, etag and times that no update may set.
	OutputOnly []string
}

// Store does the work that is alike for every kind of record.
type Store[P Message, R any] struct {
	room Room[P, R]
	pool *pgxpool.Pool
	log  *slog.Logger
}

// NewStore binds a room to its database.
func NewStore[P Message, R any](pool *pgxpool.Pool, log *slog.Logger, room Room[P, R]) *Store[P, R] {
	return &Store[P, R]{room: room, pool: pool, log: log}
}

// Create adds one record. With a request id, a repeated call returns the first answer.
func (s *Store[P, R]) Create(ctx context.Context, requestID string, message P) (P, error) {
	return request.Once(ctx, s.pool, requestID, "Create"+s.room.Table.entity, message, func(tx pgx.Tx) (P, error) {
		return s.Add(ctx, tx, message)
	})
}

// Get returns one record by id or, when that is 0, by external key.
func (s *Store[P, R]) Get(ctx context.Context, id int64, key *crmv1.ExternalKey) (P, error) {
	r, err := s.find(ctx, s.pool, id, key)
	if err != nil {
		var none P
		return none, err
	}
	return s.room.ToProto(r), nil
}

func (s *Store[P, R]) find(ctx context.Context, q Querier, id int64, key *crmv1.ExternalKey) (*Record[R], error) {
	if id != 0 || key == nil {
		return s.room.Table.Get(ctx, q, id)
	}
	return s.room.Table.GetByKey(ctx, q, key)
}

// prepare checks a message and makes the row it stands for.
func (s *Store[P, R]) prepare(message P) (*Record[R], *item) {
	row, refs, violations := s.room.ToRow(message)
	violations = append(check.Message(message), violations...)
	r := &Record[R]{Row: row}
	if key := message.GetKey(); key != nil {
		r.Source, r.ExternalID = &key.Source, &key.ExternalId
	}
	return r, &item{refs: refs, err: apperr.Invalid(violations...)}
}

// complete resolves what rows refer to, and lets the room finish those whose references are right. More is read beside it.
func (s *Store[P, R]) complete(ctx context.Context, q Querier, records []*Record[R], items []*item, more ...Part) error {
	if err := resolve(ctx, q, items, more...); err != nil || s.room.Resolved == nil {
		return err
	}
	var right []*Record[R]
	var rightItems []*item
	for i, it := range items {
		if it.err == nil {
			right, rightItems = append(right, records[i]), append(rightItems, it)
		}
	}
	if len(right) == 0 {
		return nil
	}
	errs, err := s.room.Resolved(ctx, q, right)
	for i, rowErr := range errs {
		rightItems[i].err = rowErr
	}
	return err
}

func (s *Store[P, R]) change(old, updated *R) error {
	if s.room.Change == nil {
		return nil
	}
	return s.room.Change(old, updated)
}

// checkDeferred checks deferred constraints now: at the commit it would be too late to tell which row broke one.
func (s *Store[P, R]) checkDeferred(ctx context.Context, tx pgx.Tx) error {
	if !s.room.Deferred {
		return nil
	}
	if _, err := tx.Exec(ctx, "SET CONSTRAINTS ALL IMMEDIATE"); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, "SET CONSTRAINTS ALL DEFERRED")
	return err
}

// publish tells who follows the records, and leaves one event and one audit entry for each, in the transaction that wrote
// them. old holds the rows as they were before, nil for a record that is new.
func (s *Store[P, R]) publish(ctx context.Context, tx pgx.Tx, records []*Record[R], old []*R) error {
	if len(records) == 0 {
		return nil
	}
	if err := s.checkWritten(ctx, tx, records); err != nil {
		return err
	}
	if s.room.Written != nil {
		if err := s.room.Written(ctx, tx, records, old); err != nil {
			return err
		}
	}
	changes, entries := make([]*eventsv1.Change, len(records)), make([]audit.Entry, len(records))
	for i, r := range records {
		changes[i] = &eventsv1.Change{
			Entity: s.room.Table.entity, EntityId: r.ID, Version: r.Version, ChangeTime: timestamppb.New(r.UpdatedAt),
		}
		s.room.Event(r, changes[i])
		var err error
		if entries[i], err = s.room.Table.auditEntry(old[i], r); err != nil {
			return fmt.Errorf("audit %s %d: %w", s.room.Table.entity, r.ID, err)
		}
	}
	batch := &pgx.Batch{}
	if err := outbox.Queue(ctx, batch, changes); err != nil {
		return err
	}
	audit.Queue(ctx, batch, entries)
	return outbox.Send(ctx, tx, batch)
}

// constraint turns a broken constraint of the table into an error for the caller.
func (s *Store[P, R]) constraint(err error) error {
	if errors.Is(err, errOutOfSight) {
		return err
	}
	if field, ok := takenColumn(err); ok {
		return apperr.Duplicate(field, "is taken by another %s", s.room.Name)
	}
	if Broken(err) {
		return apperr.Wrap(err, codes.InvalidArgument, apperr.ReasonInvalidField, "the database refused the %s: a value is out of range", s.room.Name)
	}
	return err
}

func (s *Store[P, R]) named(err error) error { return InMessage(s.room.Name, err) }

// InMessage puts the resource's name before the paths of broken fields: that is where they stand in the request.
func InMessage(name string, err error) error {
	var known *apperr.Error
	if !errors.As(err, &known) || len(known.Violations) == 0 {
		return err
	}
	named, parts := *known, make([]string, len(known.Violations))
	named.Violations = slices.Clone(known.Violations)
	for i := range named.Violations {
		v := &named.Violations[i]
		v.Field = name + "." + v.Field
		parts[i] = v.Field + ": " + v.Description
	}
	named.Message = strings.Join(parts, "; ")
	return &named
}
