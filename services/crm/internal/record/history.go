package record

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Former is a table as it was at a moment, for the records that a part of a screen may show.
//
// The state then is the state now with every change since undone, newest first; what each change replaced stands in its
// entry of the audit. That is what the bank knew at the moment and showed on its screens, whatever days of business the
// records tell of: what was imported later was not known, however long ago it happened.
type Former struct {
	entity string
	// unset is a JSON object with the columns that no entry tells of, as a new record has them.
	unset string
	// links are the columns by which records belong to what is shown.
	links []string
	// ids selects what they belong to.
	ids string
	// follows is the table as a statement over those before it, where it keeps nothing of its own.
	follows string
	// derived are columns that follow from others, by the expressions that do it.
	derived map[string]string
}

// Former keeps the records whose link, one of some columns, is among ids. ids is a SELECT of numbers; in it, {about} is the
// number that the part is about, and tables that stand before this one are as they were, too.
func (t *Table[R]) Former(ids string, links ...string) Former {
	return Former{entity: t.entity, unset: t.unset(), links: links, ids: ids}
}

// Following is a table whose rows follow from those of tables that stand before it, by a SELECT of its columns.
func Following(table, sql string) Former { return Former{entity: table, follows: sql} }

// Derived says how a column that no change tells of follows from the others of the row, which is called past, or from what is
// known of it elsewhere.
func (f Former) Derived(column, expression string) Former {
	f.derived = maps.Clone(f.derived)
	if f.derived == nil {
		f.derived = map[string]string{}
	}
	f.derived[column] = expression
	return f
}

// Unknown are those of some columns that no derivation tells.
func (f Former) Unknown(columns []string) []string {
	return slices.DeleteFunc(slices.Clone(columns), func(column string) bool { return f.derived[column] != "" })
}

// unset renders the columns that other statements write, and which therefore have no history, without a value.
func (t *Table[R]) unset() string {
	columns, row := map[string]any{}, reflect.New(reflect.TypeFor[R]()).Elem()
	for _, i := range t.readOnly {
		columns[t.columns[i]] = row.Field(i).Interface()
	}
	raw, err := json.Marshal(columns)
	if err != nil {
		panic(err) // a row of a table can be written, or nothing works
	}
	return string(raw)
}

// Unknown are the columns that no moment but now can tell.
func (t *Table[R]) Unknown() []string {
	names := make([]string, len(t.readOnly))
	for i, field := range t.readOnly {
		names[i] = t.columns[field]
	}
	return names
}

// formerSQL gives a table its own name in a statement, with other content: 1. the records that belong to what is shown, now
// or by what a later change replaced; 2. of each what the changes since then replaced, the oldest of them last, so that it
// stands; 3. version and time of the change before those. Changes count from the beginning of their transaction.
const formerSQL = `%[1]s AS MATERIALIZED (
    SELECT %[4]s FROM %[1]s present
    CROSS JOIN LATERAL (
        SELECT jsonb_object_agg(c.key, c.value ORDER BY e.version DESC) FILTER (WHERE c.key IS NOT NULL) AS replaced,
            min(e.version) - 1 AS version
        FROM audit_entry e LEFT JOIN LATERAL jsonb_each(e.before::jsonb) c ON true
        WHERE e.entity = '%[1]s' AND e.entity_id = present.%[1]s_id AND e.action = 'update' AND e.at > {at}
    ) since
    CROSS JOIN LATERAL jsonb_populate_record(present, coalesce(since.replaced, '{}') || '%[2]s' || CASE
        WHEN since.version IS NULL THEN '{}'
        ELSE jsonb_build_object('version', since.version, 'updated_at', coalesce((
            SELECT max(e.at) FROM audit_entry e WHERE e.entity = '%[1]s' AND e.entity_id = present.%[1]s_id
                AND e.action IN ('create', 'update') AND e.at <= {at}
        ), present.created_at)) END) past
    WHERE present.created_at <= {at} AND present.%[1]s_id IN (%[3]s)
)`

// sql is the table under its own name, for a WITH.
func (f Former) sql() string {
	if f.follows != "" {
		return fmt.Sprintf("%s AS MATERIALIZED (\n    %s\n)", f.entity, f.follows)
	}
	id := f.entity + "_id"
	var belong []string
	for _, link := range f.links {
		belong = append(belong, fmt.Sprintf("SELECT %s FROM %s WHERE %s IN (%s)", id, f.entity, link, f.ids))
		if link != id {
			belong = append(belong, fmt.Sprintf(`SELECT entity_id FROM audit_entry WHERE entity = '%s' AND action = 'update' AND at > {at}
            AND before->>'%s' IN (SELECT belongs.id::text FROM (%s) belongs (id))`, f.entity, link, f.ids))
		}
	}
	return fmt.Sprintf(formerSQL, f.entity, strings.ReplaceAll(f.unset, "'", "''"), strings.Join(belong, "\n        UNION ALL "), f.row())
}

// row is the row as it was, with its derived columns worked out again.
func (f Former) row() string {
	if len(f.derived) == 0 {
		return "past.*"
	}
	var columns []string
	for _, column := range slices.Sorted(maps.Keys(f.derived)) {
		columns = append(columns, fmt.Sprintf("'%s', %s", column, f.derived[column]))
	}
	return "(jsonb_populate_record(past, jsonb_build_object(" + strings.Join(columns, ", ") + "))).*"
}

// AsOf is the part as it would have been read at a moment: from former tables, and with the clock of then. All tables of
// records that the part's statement names must be given; about is the number that their ids speak of.
func (p Part) AsOf(at time.Time, about int64, tables ...Former) Part {
	n := len(p.Args)
	p.Args = append(slices.Clone(p.Args), at)
	then := fmt.Sprintf("$%d::timestamptz", n+1)
	sql := strings.NewReplacer("current_date", "("+then+")::date", "statement_timestamp()", then).Replace(p.SQL)
	if len(tables) > 0 {
		p.Args = append(p.Args, about)
		with := make([]string, len(tables))
		for i, table := range tables {
			with[i] = table.sql()
		}
		sql = "WITH " + strings.Join(with, ",\n") + "\n" + sql
	}
	p.SQL = strings.NewReplacer("{at}", then, "{about}", fmt.Sprintf("$%d::bigint", n+2)).Replace(sql)
	return p
}
