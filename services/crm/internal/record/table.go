// Package record writes records: a row, its next version and its event, in one transaction.
//
// Every room describes its kind of record once, as a Go struct whose json tags are the columns, and gets creation,
// update, batch upsert and keyset lists from here. Rows travel to Postgres as one JSON document per statement
// (jsonb_populate_recordset), so a batch is a handful of statements, whatever its size.
package record

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/sight"
)

// Record is a stored row with what every kind of record has.
type Record[R any] struct {
	ID         int64
	Source     *string
	ExternalID *string
	Version    int64
	// Hash of the content that the last upsert wrote; nil after an Update.
	Hash []byte
	// ImportID is the import that last sent the record.
	ImportID  *uuid.UUID
	CreatedAt time.Time
	UpdatedAt time.Time
	Row       R
}

// Key returns the external key, or nil.
func (r *Record[R]) Key() *crmv1.ExternalKey {
	if r.Source == nil || r.ExternalID == nil {
		return nil
	}
	return &crmv1.ExternalKey{Source: *r.Source, ExternalId: *r.ExternalID}
}

// Etag changes with each version.
func (r *Record[R]) Etag() string { return `"v` + strconv.FormatInt(r.Version, 10) + `"` }

// Table knows the columns of one kind of record. The table in Postgres has the entity's name, and
// <entity>_id, source, external_id, version, content_hash, import_id, created_at and updated_at beside R's columns.
type Table[R any] struct {
	entity string
	// columns are read, in the order of R's fields.
	columns []string
	// written are those of them that a message sets.
	written []string
	// list is what Scan reads. It and the statements for one record are made once.
	list                          string
	lockSQL, insertSQL, changeSQL string
	// changeHead and changeTail stand around the columns that a change writes.
	changeHead, changeTail string
	// readOnly holds the fields of the others.
	readOnly []int
	// others holds the fields with further customers whom a record names.
	others []int
	// belongs says whose the rows are; nil shows them only to those who see everything.
	belongs sight.Belonging
}

// NewTable reads the columns off R's json tags. A field tagged `record:"readonly"` is shown but never written from here:
// its column belongs to another statement, and neither an upsert nor an update touches it. One tagged `record:"customer"`
// names a further customer, as one does whose column ends on _customer_id. A row is seen by those who see the customers that
// it belongs to, in any of these ways; without one, only by those who see everything.
func NewTable[R any](entity string, belongs ...sight.Belonging) *Table[R] {
	t := &Table[R]{entity: entity}
	if len(belongs) > 0 {
		t.belongs = sight.Any(belongs...)
	}
	row := reflect.TypeFor[R]()
	for i := range row.NumField() {
		tag, column := row.Field(i).Tag, row.Field(i).Tag.Get("json")
		t.columns = append(t.columns, column)
		if tag.Get("record") == "readonly" {
			t.readOnly = append(t.readOnly, i)
		} else {
			t.written = append(t.written, column)
		}
		if tag.Get("record") == "customer" || strings.HasSuffix(column, "_"+customerColumn) {
			t.others = append(t.others, i)
		}
	}
	t.list = t.columnsWithout(nil)
	t.singleStatements()
	return t
}

// Entity is the name of the kind of record, for example "customer".
func (t *Table[R]) Entity() string { return t.entity }

func (t *Table[R]) idColumn() string { return t.entity + "_id" }

// selectList are the columns that scan reads, in its order.
func (t *Table[R]) selectList() string { return t.list }

// columnsWithout is selectList with an empty text in place of some columns.
func (t *Table[R]) columnsWithout(without []string) string {
	columns := slices.Clone(t.columns)
	for i, column := range columns {
		if slices.Contains(without, column) {
			columns[i] = "''"
		}
	}
	return t.idColumn() + ", source, external_id, version, content_hash, import_id, created_at, updated_at, " + strings.Join(columns, ", ")
}

// Columns is the list of columns that Scan reads, for statements that a room writes itself.
func (t *Table[R]) Columns() string { return t.selectList() }

// Scan reads a single row of Columns and, behind them, more columns into more; a Scanner reads many.
func (t *Table[R]) Scan(row pgx.CollectableRow, more ...any) (*Record[R], error) {
	return t.Scanner(more...).Scan(row)
}

// Content is the hash by which an upsert knows that nothing changed.
func content(row any) ([]byte, error) {
	raw, err := json.Marshal(row)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(raw)
	return sum[:16], nil
}

// carry copies what only other statements write from the stored row to the one that takes its place.
func (t *Table[R]) carry(from, to *R) {
	source, target := reflect.ValueOf(from).Elem(), reflect.ValueOf(to).Elem()
	for _, i := range t.readOnly {
		target.Field(i).Set(source.Field(i))
	}
}

func (t *Table[R]) isReadOnly(field int) bool { return slices.Contains(t.readOnly, field) }

// document renders records as the JSON that jsonb_populate_recordset reads.
func (t *Table[R]) document(records []*Record[R]) ([]byte, error) {
	rows := make([]map[string]any, len(records))
	for i, r := range records {
		row := map[string]any{
			t.idColumn(): r.ID, "source": r.Source, "external_id": r.ExternalID,
			"content_hash": bytea(r.Hash), "import_id": r.ImportID,
		}
		fields := reflect.ValueOf(r.Row)
		for j, column := range t.columns {
			if !t.isReadOnly(j) {
				row[column] = fields.Field(j).Interface()
			}
		}
		rows[i] = row
	}
	return json.Marshal(rows)
}

func bytea(b []byte) *string {
	if b == nil {
		return nil
	}
	text := `\x` + hex.EncodeToString(b)
	return &text
}
