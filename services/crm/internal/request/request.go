// Package request makes calls idempotent by their request id (AIP-155): the answer is kept with a hash of the input in
// the transaction that did the work.
package request

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/auth"
)

// Retention is how long answers are kept for repeated calls.
const Retention = 7 * 24 * time.Hour

// Once runs work in a transaction. With a request id that was used before it returns the first answer again, if the
// input is the same, and fails with ALREADY_EXISTS if it is not. Two calls at once wait for each other.
//
// Calls come again rarely. Therefore the work is done first, and its answer goes in with the commit; only when that or
// the work itself fails, the first call is looked for: whatever a repeated call changes or stumbles over is undone.
func Once[P proto.Message](
	ctx context.Context, pool *pgxpool.Pool, requestID, method string, input proto.Message, work func(pgx.Tx) (P, error),
) (P, error) {
	var answer P
	if requestID == "" {
		err := inTx(ctx, pool, func(tx *tx) (err error) {
			answer, err = work(tx)
			return err
		})
		return answer, err
	}
	id, err := uuid.Parse(requestID)
	if err != nil {
		return answer, apperr.InvalidField("request_id", "must be a UUID")
	}
	hash, err := inputHash(ctx, method, input)
	if err != nil {
		return answer, err
	}
	err = inTx(ctx, pool, func(tx *tx) (err error) {
		if answer, err = work(tx); err != nil {
			return err
		}
		return keep(tx, id, hash, answer)
	})
	if err == nil || ctx.Err() != nil {
		return answer, err
	}
	return repeat[P](ctx, pool, id, hash, err)
}

// Prune forgets answers past their retention.
func Prune(ctx context.Context, pool *pgxpool.Pool) error {
	_, err := pool.Exec(ctx, "DELETE FROM request WHERE created_at < now() - make_interval(secs => $1)", Retention.Seconds())
	return err
}

// repeat returns the answer of the first call with an id or, when there was none, the failure of this one.
func repeat[P proto.Message](ctx context.Context, pool *pgxpool.Pool, id uuid.UUID, hash []byte, failure error) (P, error) {
	var none P
	var storedHash, raw []byte
	err := pool.QueryRow(ctx, "SELECT input_hash, answer FROM request WHERE request_id = $1", id).Scan(&storedHash, &raw)
	if errors.Is(err, pgx.ErrNoRows) {
		if taken(failure) {
			return none, apperr.New(codes.Aborted, apperr.ReasonRequestIDReused, "request_id: the call with this id is being forgotten; use a new one")
		}
		return none, failure
	}
	if err != nil {
		return none, errors.Join(failure, err)
	}
	if !bytes.Equal(storedHash, hash) {
		return none, apperr.New(codes.AlreadyExists, apperr.ReasonRequestIDReused, "request_id: was used before with another input")
	}
	answer := none.ProtoReflect().New().Interface()
	if err := proto.Unmarshal(raw, answer); err != nil {
		return none, fmt.Errorf("stored answer: %w", err)
	}
	typed, ok := answer.(P)
	if !ok {
		return none, fmt.Errorf("stored answer is a %T", answer)
	}
	return typed, nil
}

// taken says that the id was there already when the answer was to be kept.
func taken(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == pgerrcode.UniqueViolation && pg.ConstraintName == "request_pkey"
}

func keep(tx *tx, id uuid.UUID, hash []byte, answer proto.Message) error {
	raw, err := proto.Marshal(answer)
	if err != nil {
		return err
	}
	tx.Queue("INSERT INTO request (request_id, input_hash, answer) VALUES ($1, $2, $3)", id, hash, raw)
	return nil
}

// inputHash is of the input and of who gives it: another caller with the same id must not get an answer that is not theirs.
func inputHash(ctx context.Context, method string, input proto.Message) ([]byte, error) {
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(input)
	if err != nil {
		return nil, err
	}
	caller, _ := auth.FromContext(ctx)
	sum := sha256.Sum256(append([]byte(method+"\x00"+caller.Subject+"\x00"), raw...))
	return sum[:], nil
}
