package request

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// tx is a transaction that sends statements whose results nobody needs together with its commit, in one round trip.
type tx struct {
	pgx.Tx
	last pgx.Batch
}

// Queue notes a statement for the commit. It runs after everything else, in the order of the calls.
func (t *tx) Queue(sql string, args ...any) { t.last.Queue(sql, args...) }

// inTx runs work in a transaction that ends with it.
func inTx(ctx context.Context, pool *pgxpool.Pool, work func(*tx) error) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	begun, err := conn.Begin(ctx)
	if err != nil {
		return err
	}
	t := &tx{Tx: begun}
	err = work(t)
	if err == nil {
		err = t.commit(ctx, conn)
	}
	if err != nil {
		// The pool gives up a connection whose transaction could not be ended.
		return errors.Join(err, ignoreClosed(begun.Rollback(context.WithoutCancel(ctx))))
	}
	return nil
}

func (t *tx) commit(ctx context.Context, conn *pgxpool.Conn) error {
	t.last.Queue("COMMIT")
	results := conn.SendBatch(ctx, &t.last)
	for range t.last.Len() - 1 {
		if _, err := results.Exec(); err != nil {
			return errors.Join(err, results.Close())
		}
	}
	tag, err := results.Exec()
	if err == nil && tag.String() == "ROLLBACK" {
		err = pgx.ErrTxCommitRollback
	}
	return errors.Join(err, results.Close())
}

// ignoreClosed passes over that there was nothing left to roll back.
func ignoreClosed(err error) error {
	if errors.Is(err, pgx.ErrTxClosed) {
		return nil
	}
	return err
}
