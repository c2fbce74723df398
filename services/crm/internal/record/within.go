package record

import (
	"context"

	"github.com/jackc/pgx/v5"

	"tandem.bank/pkg/apperr"
)

// Add adds one record in a transaction of the caller, who has more to do in it.
func (s *Store[P, R]) Add(ctx context.Context, tx pgx.Tx, message P) (P, error) {
	var none P
	r, it := s.prepare(message)
	if err := s.complete(ctx, tx, []*Record[R]{r}, []*item{it}); err != nil {
		return none, err
	}
	if it.err == nil {
		it.err = s.change(nil, &r.Row)
	}
	if it.err != nil {
		return none, s.named(it.err)
	}
	if err := s.room.Table.insert(ctx, tx, []*Record[R]{r}); err != nil {
		return none, s.named(s.constraint(err))
	}
	if err := s.checkDeferred(ctx, tx); err != nil {
		return none, s.named(s.constraint(err))
	}
	if r.ID == 0 {
		return none, s.named(apperr.Duplicate("key", "%s is taken by another %s", keyText(r.Key()), s.room.Name))
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
