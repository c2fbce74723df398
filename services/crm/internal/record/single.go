package record

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/jackc/pgx/v5"
)

// One record at a time needs no JSON document: its values travel as parameters, which costs Postgres far less.

// insertOne adds a record and fills in its id, version and times. When its key is taken it keeps id 0.
func (t *Table[R]) insertOne(ctx context.Context, tx pgx.Tx, r *Record[R]) error {
	sql := fmt.Sprintf(`INSERT INTO %s (source, external_id, content_hash, import_id, %s) VALUES (%s)
ON CONFLICT (source, external_id) DO NOTHING RETURNING %s, version, created_at, updated_at`,
		t.entity, strings.Join(t.written, ", "), placeholders(len(t.written)+4), t.idColumn())
	args := append([]any{r.Source, r.ExternalID, r.Hash, r.ImportID}, t.values(r)...)
	err := tx.QueryRow(ctx, sql, args...).Scan(&r.ID, &r.Version, &r.CreatedAt, &r.UpdatedAt)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	return err
}

// updateOne writes a record that the transaction has locked, and fills in its next version.
func (t *Table[R]) updateOne(ctx context.Context, tx pgx.Tx, r *Record[R]) error {
	assignments := make([]string, len(t.written))
	for i, column := range t.written {
		assignments[i] = fmt.Sprintf("%s = $%d", column, i+4)
	}
	sql := fmt.Sprintf(`UPDATE %s SET content_hash = $2, import_id = $3, version = version + 1, updated_at = now(), %s
WHERE %s = $1 RETURNING version, updated_at`, t.entity, strings.Join(assignments, ", "), t.idColumn())
	args := append([]any{r.ID, r.Hash, r.ImportID}, t.values(r)...)
	return tx.QueryRow(ctx, sql, args...).Scan(&r.Version, &r.UpdatedAt)
}

// values are those of the written columns.
func (t *Table[R]) values(r *Record[R]) []any {
	values := make([]any, 0, len(t.written))
	row := reflect.ValueOf(&r.Row).Elem()
	for i := range row.NumField() {
		if !t.isReadOnly(i) {
			values = append(values, row.Field(i).Interface())
		}
	}
	return values
}

func placeholders(n int) string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("$%d", i+1)
	}
	return strings.Join(out, ", ")
}
