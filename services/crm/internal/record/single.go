package record

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem.bank/services/crm/internal/request"
)

// One record at a time needs no JSON document: its values travel as parameters, which costs Postgres far less. Id, version
// and times are known before the row is written, so that nobody has to wait for the write: it travels with what follows it.

// singleStatements makes the statements for one record.
func (t *Table[R]) singleStatements() {
	id, written := t.idColumn(), strings.Join(t.written, ", ")
	t.lockSQL = fmt.Sprintf("SELECT %s, now() FROM %s WHERE %s = $1", t.list, t.entity, id)
	t.insertSQL = fmt.Sprintf("INSERT INTO %s (%s, source, external_id, content_hash, import_id, %s) OVERRIDING SYSTEM VALUE VALUES (%s)",
		t.entity, id, written, placeholders(len(t.written)+5))
	t.changeHead = fmt.Sprintf("UPDATE %s SET content_hash = $2, import_id = $3, version = version + 1, updated_at = now()", t.entity)
	t.changeTail = fmt.Sprintf(" WHERE %s = $1", id)
	assignments := make([]string, len(t.written))
	for i, column := range t.written {
		assignments[i] = fmt.Sprintf(", %s = $%d", column, i+4)
	}
	t.changeSQL = t.changeHead + strings.Join(assignments, "") + t.changeTail
}

// lock returns the record with an id, if the caller sees it, keeps others from changing it until the transaction ends, and tells the time that a
// change in this transaction has.
func (t *Table[R]) lock(ctx context.Context, tx pgx.Tx, id int64) (locked *Record[R], now time.Time, err error) {
	sql, args := t.narrowed(ctx, t.lockSQL, []any{id})
	err = Read(ctx, tx, Part{SQL: sql + " FOR NO KEY UPDATE", Args: args, Take: func(rows pgx.Rows) error {
		locked, err = t.exactlyOne(rows, fmt.Sprint(id), &now)
		return err
	}})
	return locked, now, err
}

// number draws the id of a new record, and gives it the version and the times that it will have.
func (t *Table[R]) number(r *Record[R]) Part {
	sql := fmt.Sprintf("SELECT nextval('%[1]s_%[1]s_id_seq'), now()", t.entity)
	return Part{SQL: sql, Take: func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, []any{&r.ID, &r.CreatedAt}, func() error { return nil })
		r.Version, r.UpdatedAt = 1, r.CreatedAt
		return err
	}}
}

// add adds a record that has its number.
func (t *Table[R]) add(ctx context.Context, tx pgx.Tx, r *Record[R], refused func(error) error) error {
	return request.Later(ctx, tx, refused, t.insertSQL, append([]any{r.ID, r.Source, r.ExternalID, r.Hash, r.ImportID}, t.values(r)...)...)
}

// change writes the columns of a record, which the transaction has locked, that differ from what is stored.
func (t *Table[R]) change(ctx context.Context, tx pgx.Tx, old *R, r *Record[R], refused func(error) error) error {
	var sql strings.Builder
	sql.WriteString(t.changeHead)
	args := []any{r.ID, r.Hash, r.ImportID}
	stored, updated := reflect.ValueOf(old).Elem(), reflect.ValueOf(&r.Row).Elem()
	for i, column := range t.columns {
		if t.isReadOnly(i) || equal(stored.Field(i), updated.Field(i)) {
			continue
		}
		args = append(args, updated.Field(i).Interface())
		sql.WriteString(", " + column + " = $" + strconv.Itoa(len(args)))
	}
	sql.WriteString(t.changeTail)
	return request.Later(ctx, tx, refused, sql.String(), args...)
}

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
	args := append([]any{r.ID, r.Hash, r.ImportID}, t.values(r)...)
	return tx.QueryRow(ctx, t.changeSQL+" RETURNING version, updated_at", args...).Scan(&r.Version, &r.UpdatedAt)
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
