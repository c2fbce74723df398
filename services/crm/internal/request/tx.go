package request

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

var (
	errSavepoint        = errors.New("request: the work of one call is done as a whole, without savepoints")
	errEnds             = errors.New("request: the call ends its transaction, not the work")
	_            pgx.Tx = (*tx)(nil)
)

// tx is a transaction with few round trips: its beginning travels with the first batch, and statements whose results
// nobody needs travel with its commit.
type tx struct {
	conn  *pgxpool.Conn
	begun bool
	last  pgx.Batch
}

// inTx runs work in a transaction that ends with it.
func inTx(ctx context.Context, pool *pgxpool.Pool, work func(*tx) error) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	t := &tx{conn: conn}
	if err = work(t); err == nil {
		err = t.commit(ctx)
	}
	if err != nil && t.begun && !conn.Conn().IsClosed() {
		_, failed := conn.Exec(context.WithoutCancel(ctx), "ROLLBACK")
		err = errors.Join(err, failed)
	}
	return err
}

// Queue notes a statement for the commit. It runs after everything else, in the order of the calls.
func (t *tx) Queue(sql string, args ...any) { t.last.Queue(sql, args...) }

func (t *tx) commit(ctx context.Context) error {
	if err := t.begin(ctx); err != nil {
		return err
	}
	t.last.Queue("COMMIT")
	results := t.conn.SendBatch(ctx, &t.last)
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

func (t *tx) begin(ctx context.Context) error {
	if t.begun {
		return nil
	}
	t.begun = true
	_, err := t.conn.Exec(ctx, "BEGIN")
	return err
}

// SendBatch implements pgx.Tx.
func (t *tx) SendBatch(ctx context.Context, batch *pgx.Batch) pgx.BatchResults {
	if t.begun {
		return t.conn.SendBatch(ctx, batch)
	}
	t.begun = true
	first := &pgx.Batch{}
	first.Queue("BEGIN")
	first.QueuedQueries = append(first.QueuedQueries, batch.QueuedQueries...)
	results := t.conn.SendBatch(ctx, first)
	_, _ = results.Exec() // the results behind a failure fail with it
	return results
}

// Exec implements pgx.Tx.
func (t *tx) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	if err := t.begin(ctx); err != nil {
		return pgconn.CommandTag{}, err
	}
	return t.conn.Exec(ctx, sql, args...)
}

// Query implements pgx.Tx.
func (t *tx) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if err := t.begin(ctx); err != nil {
		return nil, err
	}
	return t.conn.Query(ctx, sql, args...)
}

// QueryRow implements pgx.Tx.
func (t *tx) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	if err := t.begin(ctx); err != nil {
		return failedRow{err}
	}
	return t.conn.QueryRow(ctx, sql, args...)
}

type failedRow struct{ err error }

func (r failedRow) Scan(...any) error { return r.err }

// CopyFrom implements pgx.Tx.
func (t *tx) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (int64, error) {
	if err := t.begin(ctx); err != nil {
		return 0, err
	}
	return t.conn.Conn().CopyFrom(ctx, table, columns, rows)
}

// Prepare implements pgx.Tx.
func (t *tx) Prepare(ctx context.Context, name, sql string) (*pgconn.StatementDescription, error) {
	return t.conn.Conn().Prepare(ctx, name, sql)
}

// Conn implements pgx.Tx.
func (t *tx) Conn() *pgx.Conn { return t.conn.Conn() }

// LargeObjects implements pgx.Tx; Tandem keeps none.
func (t *tx) LargeObjects() pgx.LargeObjects { return pgx.LargeObjects{} }

// Begin implements pgx.Tx.
func (t *tx) Begin(context.Context) (pgx.Tx, error) { return nil, errSavepoint }

// Commit implements pgx.Tx.
func (t *tx) Commit(context.Context) error { return errEnds }

// Rollback implements pgx.Tx.
func (t *tx) Rollback(context.Context) error { return errEnds }
