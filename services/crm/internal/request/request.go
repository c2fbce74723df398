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
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/apperr"
)

// Retention is how long answers are kept for repeated calls.
const Retention = 7 * 24 * time.Hour

// Once runs work in a transaction. With a request id that was used before it returns the first answer again, if the
// input is the same, and fails with ALREADY_EXISTS if it is not. Two calls at once wait for each other.
func Once[P proto.Message](
	ctx context.Context, pool *pgxpool.Pool, requestID, method string, input proto.Message, work func(pgx.Tx) (P, error),
) (P, error) {
	var answer P
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if requestID == "" {
			var err error
			answer, err = work(tx)
			return err
		}
		id, err := uuid.Parse(requestID)
		if err != nil {
			return apperr.InvalidField("request_id", "must be a UUID")
		}
		hash, err := inputHash(method, input)
		if err != nil {
			return err
		}
		claimed, err := claim(ctx, tx, id, hash)
		if err != nil {
			return err
		}
		if !claimed {
			answer, err = repeat[P](ctx, tx, id, hash)
			return err
		}
		if answer, err = work(tx); err != nil {
			return err
		}
		return keep(ctx, tx, id, answer)
	})
	return answer, err
}

// Prune forgets answers past their retention.
func Prune(ctx context.Context, pool *pgxpool.Pool) error {
	_, err := pool.Exec(ctx, "DELETE FROM request WHERE created_at < now() - make_interval(secs => $1)", Retention.Seconds())
	return err
}

func claim(ctx context.Context, tx pgx.Tx, id uuid.UUID, hash []byte) (bool, error) {
	tag, err := tx.Exec(ctx, "INSERT INTO request (request_id, input_hash) VALUES ($1, $2) ON CONFLICT DO NOTHING", id, hash)
	return tag.RowsAffected() == 1, err
}

func repeat[P proto.Message](ctx context.Context, tx pgx.Tx, id uuid.UUID, hash []byte) (P, error) {
	var none P
	var storedHash, raw []byte
	err := tx.QueryRow(ctx, "SELECT input_hash, answer FROM request WHERE request_id = $1", id).Scan(&storedHash, &raw)
	if errors.Is(err, pgx.ErrNoRows) {
		return none, apperr.New(codes.Aborted, apperr.ReasonRequestIDReused, "request_id: the call with this id is being forgotten; use a new one")
	}
	if err != nil {
		return none, err
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

func keep(ctx context.Context, tx pgx.Tx, id uuid.UUID, answer proto.Message) error {
	raw, err := proto.Marshal(answer)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "UPDATE request SET answer = $2 WHERE request_id = $1", id, raw)
	return err
}

func inputHash(method string, input proto.Message) ([]byte, error) {
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(input)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(append([]byte(method+"\x00"), raw...))
	return sum[:], nil
}
