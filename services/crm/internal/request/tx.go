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

// tx is a transaction with few round trips: its beginning and statements whose results nobody waits for travel with the
// next statement whose result somebody does, the last of which is the commit. They run in the order of the calls.
type tx struct {
	conn  *pgxpool.Conn
	begun bool
	// later are statements on their way, and refused what makes their errors fit for the caller; nil where nothing does.
	later   pgx.Batch
	refused []func(error) error
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

// Later runs a statement whose result nobody waits for: in a transaction of Once it travels with the next one, otherwise it
// runs now. When it fails, refused turns the error into the one that ends the transaction; nil leaves it as it is.
func Later(ctx context.Context, tx pgx.Tx, refused func(error) error, sql string, args ...any) error {
	if last, ok := tx.(interface {
		Later(refused func(error) error, sql string, args ...any)
	}); ok {
		last.Later(refused, sql, args...)
		return nil
	}
	_, err := tx.Exec(ctx, sql, args...)
	if err != nil && refused != nil {
		err = refused(err)
	}
	return err
}

// Later is what the function of that name calls.
func (t *tx) Later(refused func(error) error, sql string, args ...any) {
	t.later.Queue(sql, args...)
	t.refused = append(t.refused, refused)
}

// Queue notes a statement whose error only an operator could understand.
func (t *tx) Queue(sql string, args ...any) { t.Later(nil, sql, args...) }

// send sends what is on its way and, behind it, more. The results are those of more.
func (t *tx) send(ctx context.Context, more ...*pgx.QueuedQuery) (pgx.BatchResults, error) {
	batch, refused := &pgx.Batch{}, t.refused
	if !t.begun {
		batch.Queue("BEGIN")
		refused = append([]func(error) error{nil}, refused...)
	}
	batch.QueuedQueries = append(append(batch.QueuedQueries, t.later.QueuedQueries...), more...)
	t.begun, t.later, t.refused = true, pgx.Batch{}, nil
	results := t.conn.SendBatch(ctx, batch)
	for _, refuse := range refused {
		if _, err := results.Exec(); err != nil {
			if refuse != nil {
				err = refuse(err)
			}
			return nil, errors.Join(err, closed(results))
		}
	}
	return results, nil
}

// closed ends a batch that has failed; it says again what is known by then, unless the connection is gone as well.
func closed(results pgx.BatchResults) error {
	var known *pgconn.PgError
	if err := results.Close(); !errors.As(err, &known) {
		return err
	}
	return nil
}

func (t *tx) commit(ctx context.Context) error {
	if !t.begun && t.later.Len() == 0 {
		return nil
	}
	tag, err := t.Exec(ctx, "COMMIT")
	if err == nil && tag.String() == "ROLLBACK" {
		err = pgx.ErrTxCommitRollback
	}
	return err
}

// SendBatch implements pgx.Tx.
func (t *tx) SendBatch(ctx context.Context, batch *pgx.Batch) pgx.BatchResults {
	results, err := t.send(ctx, batch.QueuedQueries...)
	if err != nil {
		return failedBatch{err}
	}
	return results
}

// Exec implements pgx.Tx.
func (t *tx) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	if t.begun && t.later.Len() == 0 {
		return t.conn.Exec(ctx, sql, args...)
	}
	results, err := t.send(ctx, &pgx.QueuedQuery{SQL: sql, Arguments: args})
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	tag, err := results.Exec()
	if err != nil {
		return tag, errors.Join(err, closed(results))
	}
	return tag, results.Close()
}

// Query implements pgx.Tx.
func (t *tx) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if err := t.flush(ctx); err != nil {
		return nil, err
	}
	return t.conn.Query(ctx, sql, args...)
}

// QueryRow implements pgx.Tx.
func (t *tx) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	if err := t.flush(ctx); err != nil {
		return failedRow{err}
	}
	return t.conn.QueryRow(ctx, sql, args...)
}

// flush sends what is on its way: rows that are read one by one can't share a round trip with it.
func (t *tx) flush(ctx context.Context) error {
	if t.begun && t.later.Len() == 0 {
		return nil
	}
	results, err := t.send(ctx)
	if err != nil {
		return err
	}
	return results.Close()
}

type failedRow struct{ err error }

func (r failedRow) Scan(...any) error { return r.err }

// failedBatch is the answer to a batch that was not sent, or failed before its first statement.
type failedBatch struct{ err error }

func (b failedBatch) Exec() (pgconn.CommandTag, error) { return pgconn.CommandTag{}, b.err }
func (b failedBatch) Query() (pgx.Rows, error)         { return nil, b.err }
func (b failedBatch) QueryRow() pgx.Row                { return failedRow(b) }
func (b failedBatch) Close() error                     { return b.err }
func (b failedBatch) Tx() pgx.Tx                       { return nil }

// CopyFrom implements pgx.Tx.
func (t *tx) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (int64, error) {
	if err := t.flush(ctx); err != nil {
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
