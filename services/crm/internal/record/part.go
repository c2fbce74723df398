package record

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Part is a read that travels to Postgres together with others. A room offers its part of a screen as one.
type Part struct {
	SQL  string
	Args []any
	// Take reads the rows to their end.
	Take func(pgx.Rows) error
}

// Part reads the records that a condition selects. The rest of the statement, such as ORDER BY, may follow it.
func (t *Table[R]) Part(take func([]*Record[R]), condition string, args ...any) Part {
	sql := "SELECT " + t.selectList() + " FROM " + t.entity + " WHERE " + condition
	return Part{SQL: sql, Args: args, Take: func(rows pgx.Rows) error {
		found, err := pgx.CollectRows(rows, t.Scanner().Scan)
		if err == nil {
			take(found)
		}
		return err
	}}
}

// PartByID reads the record with an id, if the caller sees it. It fails when there is none.
func (t *Table[R]) PartByID(ctx context.Context, into **Record[R], id int64) Part {
	condition, args := t.narrowed(ctx, t.idColumn()+" = $1", []any{id})
	part := t.Part(nil, condition, args...)
	part.Take = func(rows pgx.Rows) (err error) {
		*into, err = t.exactlyOne(rows, fmt.Sprint(id))
		return err
	}
	return part
}

// Batcher is a pool, a connection or a transaction.
type Batcher interface {
	SendBatch(ctx context.Context, batch *pgx.Batch) pgx.BatchResults
}

// ReadSnapshot reads parts in one round trip and in one snapshot, so that they fit each other. The transaction travels in
// the batch: two round trips less. Should a statement fail, the pool gives up the connection with its open transaction.
func ReadSnapshot(ctx context.Context, pool Batcher, parts ...Part) error {
	begin := Part{SQL: "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY", Take: nothing}
	commit := Part{SQL: "COMMIT", Take: nothing}
	return Read(ctx, pool, append(append([]Part{begin}, parts...), commit)...)
}

// Read reads parts in one round trip.
func Read(ctx context.Context, q Batcher, parts ...Part) error {
	batch := &pgx.Batch{}
	for _, part := range parts {
		batch.Queue(part.SQL, part.Args...)
	}
	results := q.SendBatch(ctx, batch)
	for _, part := range parts {
		rows, err := results.Query()
		if err == nil {
			err = part.Take(rows)
		}
		if err != nil {
			return errors.Join(err, results.Close())
		}
	}
	return results.Close()
}

func nothing(rows pgx.Rows) error {
	rows.Close()
	return rows.Err()
}
