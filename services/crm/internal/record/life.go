package record

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	"tandem.bank/services/crm/internal/request"
)

// StateReplaces is for Room.Replaces of records with a Life: a new state takes reason and time of the old one away.
var StateReplaces = map[string][]string{"state": {"state_reason", "state_since"}}

// Life is where in a row its state stands, why, and since when.
type Life struct {
	State, Reason *string
	Since         **time.Time
}

// Keep settles the state of a row that is about to be written. A message without a state leaves the state as it is, and a
// new record begins in first; a state that stays keeps its reason and time, and a new one begins now unless its time is
// given. It does not judge the step.
func (l Life) Keep(old *Life, first string, now time.Time) {
	if *l.State == "" && old != nil {
		*l.State = *old.State
	}
	if *l.State == "" {
		*l.State = first
	}
	if old != nil && *old.State == *l.State {
		if *l.Reason == "" {
			*l.Reason = *old.Reason
		}
		if *l.Since == nil {
			*l.Since = *old.Since
		}
	}
	if *l.Since == nil && *l.State != "" {
		at := now.UTC().Truncate(time.Microsecond)
		*l.Since = &at
	}
}

// StepRequest is what the request of every named step has.
type StepRequest interface {
	proto.Message
	GetEtag() string
	GetReason() string
	GetEffectiveTime() *timestamppb.Timestamp
	GetRequestId() string
}

// Step is a named step of one record.
type Step[R any] struct {
	// Name in the machine.
	Name string
	// ID of the record.
	ID      int64
	Request StepRequest
	States  StateMachine
	// Life finds the state in a row.
	Life func(*R) Life
	// Also changes what else the step changes; day is the bank's day on which it takes effect. Nil when there is nothing.
	Also func(row *R, day pgtype.Date) error
}

// Take takes a step under the record's row lock.
func (s *Store[P, R]) Take(ctx context.Context, step Step[R]) (P, error) {
	method := step.Name + s.room.Table.entity
	return request.Once(ctx, s.pool, step.Request.GetRequestId(), method, step.Request, func(tx pgx.Tx) (P, error) {
		return s.TakeIn(ctx, tx, step)
	})
}

// TakeIn takes a step in a transaction of the caller, who has more to do in it.
func (s *Store[P, R]) TakeIn(ctx context.Context, tx pgx.Tx, step Step[R]) (P, error) {
	return s.ModifyIn(ctx, tx, step.ID, step.Request.GetEtag(), func(row *R) error {
		at, err := stepTime(step.Request.GetEffectiveTime(), step.Life(row), time.Now())
		if err != nil {
			return err
		}
		life := step.Life(row)
		to, err := step.States.Step("state", step.Name, *life.State)
		if err != nil {
			return err
		}
		*life.State, *life.Reason, *life.Since = to, step.Request.GetReason(), &at
		if step.Also == nil {
			return nil
		}
		day, err := BankDay(ctx, tx, at)
		if err != nil {
			return err
		}
		return step.Also(row, day)
	})
}

// BankDay is the day of the bank's calendar that a moment lies in. Sessions have the bank's zone, so Postgres knows it.
func BankDay(ctx context.Context, q Batcher, at time.Time) (pgtype.Date, error) {
	var day pgtype.Date
	err := Read(ctx, q, Part{SQL: "SELECT $1::timestamptz::date", Args: []any{at}, Take: func(rows pgx.Rows) (err error) {
		day, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[pgtype.Date])
		return err
	}})
	return day, err
}

// stepTime is when a step takes effect. Steps follow each other in time, or the days in a state could not be counted.
func stepTime(stated *timestamppb.Timestamp, life Life, now time.Time) (time.Time, error) {
	if stated == nil {
		return now.UTC().Truncate(time.Microsecond), nil
	}
	var in Reader
	at := in.Time("effective_time", stated)
	switch {
	case len(in.Violations) > 0:
	case at.After(now):
		in.Refuse("effective_time", "must not lie in the future")
	case *life.Since != nil && at.Before(**life.Since):
		in.Refuse("effective_time", "must not be before state_since, "+(*life.Since).UTC().Format(time.RFC3339))
	}
	return at.UTC(), in.Err()
}

// Modify changes one record by a function under its row lock.
func (s *Store[P, R]) Modify(ctx context.Context, id int64, etag string, req IdempotentRequest, name string, modify func(*R) error) (P, error) {
	return request.Once(ctx, s.pool, req.GetRequestId(), name+s.room.Table.entity, req, func(tx pgx.Tx) (P, error) {
		return s.ModifyIn(ctx, tx, id, etag, modify)
	})
}

// IdempotentRequest is a request that may come again.
type IdempotentRequest interface {
	proto.Message
	GetRequestId() string
}

// ModifyIn is Modify in a transaction of the caller. What the function refuses names fields of the request, not of the
// record.
func (s *Store[P, R]) ModifyIn(ctx context.Context, tx pgx.Tx, id int64, etag string, modify func(*R) error) (P, error) {
	var none P
	r, _, err := s.room.Table.lock(ctx, tx, id)
	if err != nil {
		return none, err
	}
	if err := s.checkEtag(r, etag); err != nil {
		return none, err
	}
	old := r.Row
	if err := modify(&r.Row); err != nil {
		return none, err
	}
	if err := s.change(&old, &r.Row); err != nil {
		return none, s.named(err)
	}
	if err := s.Rewrite(ctx, tx, []*Record[R]{r}, []*R{&old}); err != nil {
		return none, s.named(err)
	}
	return s.room.ToProto(r), nil
}

func (s *Store[P, R]) checkEtag(r *Record[R], etag string) error {
	if etag == "" || etag == r.Etag() {
		return nil
	}
	return apperr.New(codes.Aborted, apperr.ReasonEtagMismatch, "%s %d was changed by somebody else; read it again", s.room.Name, r.ID)
}
