package record

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// Querier is a pool, a connection or a transaction.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	Batcher
}

// Get returns the record with an id, if the caller sees it.
func (t *Table[R]) Get(ctx context.Context, q Querier, id int64) (*Record[R], error) {
	return t.one(ctx, q, fmt.Sprint(id), t.idColumn()+" = $1", id)
}

// GetByKey returns the record with an external key, if the caller sees it.
func (t *Table[R]) GetByKey(ctx context.Context, q Querier, key *crmv1.ExternalKey) (*Record[R], error) {
	return t.one(ctx, q, keyText(key), "source = $1 AND external_id = $2", key.GetSource(), key.GetExternalId())
}

func (t *Table[R]) one(ctx context.Context, q Querier, name, condition string, args ...any) (*Record[R], error) {
	condition, args = t.narrowed(ctx, condition, args)
	rows, err := q.Query(ctx, fmt.Sprintf("SELECT %s FROM %s WHERE %s", t.selectList(), t.entity, condition), args...)
	if err != nil {
		return nil, err
	}
	return t.exactlyOne(rows, name)
}

func (t *Table[R]) exactlyOne(rows pgx.Rows, name string, more ...any) (*Record[R], error) {
	r, err := pgx.CollectExactlyOneRow(rows, t.Scanner(more...).Scan)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, t.notFound(name)
	}
	return r, err
}

func (t *Table[R]) notFound(name string) error {
	return apperr.NotFound("%s %s does not exist", strings.ReplaceAll(t.entity, "_", " "), name)
}

// Select returns the records that a condition selects, whoever may see them: rules need them all. The rest of the statement,
// such as ORDER BY, may follow it.
func (t *Table[R]) Select(ctx context.Context, q Querier, condition string, args ...any) ([]*Record[R], error) {
	rows, err := q.Query(ctx, fmt.Sprintf("SELECT %s FROM %s WHERE %s", t.selectList(), t.entity, condition), args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, t.Scanner().Scan)
}

// byKeys selects the records with the keys in $1 and $2.
const byKeys = "(source, external_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))"

// knownKeys returns which of these external keys are stored.
func (t *Table[R]) knownKeys(ctx context.Context, q Querier, records []*Record[R]) (map[string]bool, error) {
	sources, ids := keysOf(records)
	rows, err := q.Query(ctx, fmt.Sprintf("SELECT source, external_id FROM %s WHERE %s", t.entity, byKeys), sources, ids)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	var source, externalID string
	_, err = pgx.ForEachRow(rows, []any{&source, &externalID}, func() error {
		known[source+"/"+externalID] = true
		return nil
	})
	return known, err
}

// lockKeys returns the records with these external keys, locked in the order of ids, as every statement that locks
// several records does it.
func (t *Table[R]) lockKeys(ctx context.Context, tx pgx.Tx, records []*Record[R]) (map[string]*Record[R], error) {
	sources, ids := keysOf(records)
	found, err := t.Select(ctx, tx, byKeys+" ORDER BY "+t.idColumn()+" FOR NO KEY UPDATE", sources, ids)
	if err != nil {
		return nil, err
	}
	byKey := make(map[string]*Record[R], len(found))
	for _, r := range found {
		byKey[keyText(r.Key())] = r
	}
	return byKey, nil
}

func keysOf[R any](records []*Record[R]) (sources, ids []string) {
	sources, ids = make([]string, len(records)), make([]string, len(records))
	for i, r := range records {
		sources[i], ids[i] = *r.Source, *r.ExternalID
	}
	return sources, ids
}

// insert adds records and fills in their ids, versions and times. Those whose key was taken meanwhile keep id 0.
func (t *Table[R]) insert(ctx context.Context, tx pgx.Tx, records []*Record[R]) error {
	if len(records) == 1 {
		return t.insertOne(ctx, tx, records[0])
	}
	doc, err := t.document(records)
	if err != nil {
		return err
	}
	columns := "source, external_id, content_hash, import_id, " + strings.Join(t.written, ", ")
	// The order of the array gives the rows their ids, so that results are the same for the same input; the order of keys
	// is the order of insertion, so that two batches with the same new keys wait for each other instead of deadlocking.
	sql := fmt.Sprintf(`INSERT INTO %[1]s (%[3]s, %[2]s) OVERRIDING SYSTEM VALUE
SELECT new_id, %[2]s FROM (
    SELECT nextval((SELECT pg_get_serial_sequence('%[1]s', '%[3]s'))::regclass) AS new_id, *
    FROM ROWS FROM (jsonb_populate_recordset(NULL::%[1]s, $1)) WITH ORDINALITY ORDER BY ordinality
) ORDER BY source, external_id
ON CONFLICT (source, external_id) DO NOTHING
RETURNING %[3]s, source, external_id, version, created_at, updated_at`, t.entity, columns, t.idColumn())
	rows, err := tx.Query(ctx, sql, doc)
	if err != nil {
		return err
	}
	byKey := make(map[string]*Record[R], len(records))
	for _, r := range records {
		byKey[keyText(r.Key())] = r
	}
	var stored Record[R]
	targets := []any{&stored.ID, &stored.Source, &stored.ExternalID, &stored.Version, &stored.CreatedAt, &stored.UpdatedAt}
	_, err = pgx.ForEachRow(rows, targets, func() error {
		r := byKey[keyText(stored.Key())]
		r.ID, r.Version, r.CreatedAt, r.UpdatedAt = stored.ID, stored.Version, stored.CreatedAt, stored.UpdatedAt
		return nil
	})
	return err
}

// update writes records that the transaction has locked, and fills in their next versions.
func (t *Table[R]) update(ctx context.Context, tx pgx.Tx, records []*Record[R]) error {
	if len(records) == 1 {
		return t.updateOne(ctx, tx, records[0])
	}
	doc, err := t.document(records)
	if err != nil {
		return err
	}
	assignments := make([]string, len(t.written))
	for i, column := range t.written {
		assignments[i] = fmt.Sprintf("%[1]s = r.%[1]s", column)
	}
	// The ids come a second time, as an array: by it the planner knows how few rows there are, and uses the index.
	sql := fmt.Sprintf(`UPDATE %[1]s t
SET %[2]s, content_hash = r.content_hash, import_id = r.import_id, version = t.version + 1, updated_at = now()
FROM jsonb_populate_recordset(NULL::%[1]s, $1) r
WHERE t.%[3]s = r.%[3]s AND t.%[3]s = ANY($2)
RETURNING t.%[3]s, t.version, t.updated_at`, t.entity, strings.Join(assignments, ", "), t.idColumn())
	byID, ids := make(map[int64]*Record[R], len(records)), make([]int64, len(records))
	for i, r := range records {
		byID[r.ID], ids[i] = r, r.ID
	}
	rows, err := tx.Query(ctx, sql, doc, ids)
	if err != nil {
		return err
	}
	var id, version int64
	var updatedAt time.Time
	_, err = pgx.ForEachRow(rows, []any{&id, &version, &updatedAt}, func() error {
		byID[id].Version, byID[id].UpdatedAt = version, updatedAt
		return nil
	})
	return err
}

// touch notes that an import sent records whose content is already stored. It is no change: version and event stay.
func (t *Table[R]) touch(ctx context.Context, tx pgx.Tx, ids []int64, importID uuid.UUID) error {
	_, err := tx.Exec(ctx, fmt.Sprintf("UPDATE %s SET import_id = $1 WHERE %s = ANY($2)", t.entity, t.idColumn()), importID, ids)
	return err
}

func keyText(key *crmv1.ExternalKey) string {
	if key == nil {
		return ""
	}
	return key.GetSource() + "/" + key.GetExternalId()
}
