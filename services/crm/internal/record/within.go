package record

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"tandem.bank/pkg/apperr"
)

// Add adds one record in a transaction of the caller, who has more to do in it.
func (s *Store[P, R]) Add(ctx context.Context, tx pgx.Tx, message P) (P, error) {
	var none P
	r, it := s.prepare(message)
	if err := s.complete(ctx, tx, []*Record[R]{r}, []*item{it}, s.room.Table.number(r)); err != nil {
		return none, err
	}
	if it.err == nil {
		it.err = s.change(nil, &r.Row)
	}
	if it.err != nil {
		return none, s.named(it.err)
	}
	refused := func(err error) error { return s.refused(err, r) }
	if err := s.room.Table.add(ctx, tx, r, refused); err != nil {
		return none, err
	}
	if err := s.checkDeferred(ctx, tx); err != nil {
		return none, refused(err)
	}
	return s.room.ToProto(r), s.publish(ctx, tx, []*Record[R]{r}, []*R{nil})
}

// AddAll adds records with keys in a transaction of the caller: all of them, or with an error none.
func (s *Store[P, R]) AddAll(ctx context.Context, tx pgx.Tx, messages []P) ([]P, error) {
	records, items := make([]*Record[R], len(messages)), make([]*item, len(messages))
	for i, message := range messages {
		records[i], items[i] = s.prepare(message)
	}
	if err := s.complete(ctx, tx, records, items); err != nil {
		return nil, err
	}
	for i, it := range items {
		if it.err == nil {
			it.err = s.change(nil, &records[i].Row)
		}
		if it.err != nil {
			return nil, s.named(it.err)
		}
	}
	if err := s.room.Table.insert(ctx, tx, records); err != nil {
		return nil, s.named(s.constraint(err))
	}
	for _, r := range records {
		if r.ID == 0 {
			return nil, s.named(apperr.Duplicate("key", "%s is taken by another %s", keyText(r.Key()), s.room.Name))
		}
	}
	return Protos(records, s.room.ToProto), s.publish(ctx, tx, records, make([]*R, len(records)))
}

// refused turns a constraint that a record broke into an error for the caller, unless that was done already.
func (s *Store[P, R]) refused(err error, r *Record[R]) error {
	if _, known := errors.AsType[*apperr.Error](err); known {
		return err
	}
	if field, ok := takenColumn(err); ok && field == "key" {
		return s.named(apperr.Duplicate("key", "%s is taken by another %s", keyText(r.Key()), s.room.Name))
	}
	return s.named(s.constraint(err))
}

// Rewrite writes records that the caller has locked and changed in its transaction; old holds the rows as they were before.
func (s *Store[P, R]) Rewrite(ctx context.Context, tx pgx.Tx, records []*Record[R], old []*R) error {
	if len(records) == 0 {
		return nil
	}
	for _, r := range records {
		r.Hash, r.ImportID = nil, nil // the content is no longer what an import sent
	}
	if err := s.room.Table.update(ctx, tx, records); err != nil {
		return s.constraint(err)
	}
	return s.publish(ctx, tx, records, old)
}
