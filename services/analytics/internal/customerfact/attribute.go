package customerfact

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Prefixes of the names of facts that the file does not know.
const (
	attributePrefix = "attribute."
	scorePrefix     = "score."
)

// attributeMaps are the columns of a customer that hold the values of attributes, apart by how they are computed with.
var attributeMaps = []struct{ name, column string }{
	{"attribute_values", "Map(LowCardinality(String), String)"},
	{"attribute_numbers", "Map(LowCardinality(String), Decimal(38, 8))"},
	{"attribute_options", "Map(LowCardinality(String), Array(LowCardinality(String)))"},
}

// attributeKind is how values of a type of attribute are told: from which map, as which type, and by which expression over the map's
// entry, %[1]s, and the map with the key as arguments, %[2]s.
type attributeKind struct {
	of     int
	typ    Type
	column string
	sql    string
}

var attributeKinds = map[string]attributeKind{
	"text":    {of: 0, typ: Text, sql: "%[1]s"},
	"option":  {of: 0, typ: Text, sql: "%[1]s"},
	"boolean": {of: 0, typ: Boolean, sql: "if(mapContains(%[2]s), %[1]s = 'true', NULL)"},
	"date":    {of: 0, typ: Date, sql: "toDate32OrNull(%[1]s)"},
	"integer": {of: 1, typ: Integer, sql: "if(mapContains(%[2]s), toInt64(%[1]s), NULL)"},
	"decimal": {of: 1, typ: Decimal, column: "Nullable(Decimal(38, 8))", sql: "if(mapContains(%[2]s), %[1]s, NULL)"},
	"money":   {of: 1, typ: Decimal, column: "Nullable(Decimal(38, 8))", sql: "if(mapContains(%[2]s), %[1]s, NULL)"},
	"options": {of: 2, typ: Texts, sql: "%[1]s"},
}

// dynamicName is what an attribute or a score may be called to become a fact: its name stands in statements.
var dynamicName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)

// copied is a catalogue that more facts can be added to.
func (c *Catalogue) copied() *Catalogue {
	return &Catalogue{facts: slices.Clone(c.facts), byName: maps.Clone(c.byName), tables: c.tables, maps: c.maps}
}

// addAttributes adds a fact for each attribute that the bank defined, also for retired ones: their values stay.
func (s *Service) addAttributes(ctx context.Context, c *Catalogue) error {
	const sql = `SELECT name, argMax(title, change_time), argMax(type, change_time), argMax(allowed_values, change_time)
FROM attribute_definition FINAL WHERE personal = 0 GROUP BY name ORDER BY name`
	return s.each(ctx, "read attributes", func(rows driver.Rows) error {
		var name, title, kind string
		var allowed []string
		if err := rows.Scan(&name, &title, &kind, &allowed); err != nil {
			return err
		}
		f, ok := c.attribute(name, title, kind)
		if !ok {
			return nil
		}
		if kind == "option" {
			f.Values = allowed
		}
		return c.add(f)
	}, sql)
}

// attribute is the fact of an attribute; ok is false for a name or a type that no fact can have.
func (c *Catalogue) attribute(name, title, kind string) (f *Fact, ok bool) {
	k, known := attributeKinds[kind]
	if !known || !dynamicName.MatchString(name) {
		return nil, false
	}
	of := c.maps[k.of]
	return &Fact{
		Name: attributePrefix + name, Title: title, Type: k.typ, Meaning: "Attribute of the bank: " + title + ".",
		Source: of.source.Name, source: of.source, column: k.column, of: of,
		derive: func(column string) string {
			return fmt.Sprintf(k.sql, column+"['"+name+"']", column+", '"+name+"'")
		},
	}, true
}

// addScores adds a fact for each score that was ever run.
func (s *Service) addScores(ctx context.Context, c *Catalogue) error {
	const sql = "SELECT DISTINCT toString(score) AS name FROM score_run ORDER BY name"
	return s.each(ctx, "read scores", func(rows driver.Rows) error {
		var name string
		if err := rows.Scan(&name); err != nil {
			return err
		}
		if !dynamicName.MatchString(name) {
			return nil
		}
		return c.add(&Fact{
			Name: scorePrefix + name, Title: name, Type: Number, Unit: "points", SQL: "r.value", Source: scorePrefix + name,
			Meaning: "Score " + name + ", by its newest run.", source: scoreSource(name),
		})
	}, sql)
}

// scoreSource reads the newest run of a score.
func scoreSource(name string) *source {
	return &source{
		Name: scorePrefix + name, Customer: "r.customer_id", Fresh: EachRun,
		From: fmt.Sprintf(`score AS r WHERE r.score = '%s' AND (r.as_of, r.run_id) IN (SELECT u.as_of, u.run_id FROM score_run AS u FINAL
WHERE u.score = '%s' AND u.as_of <= {day} AND {known:u.computed_time} ORDER BY u.as_of DESC, u.computed_time DESC, u.run_id DESC LIMIT 1)
AND {among:r.customer_id}`, name, name),
	}
}

// each calls scan for each row of a query.
func (s *Service) each(ctx context.Context, what string, scan func(driver.Rows) error, sql string, args ...any) error {
	rows, err := s.warehouse.Query(ctx, sql, args...)
	if err != nil {
		return fmt.Errorf("customer facts: %s: %w", what, err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return fmt.Errorf("customer facts: %s: %w", what, err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("customer facts: %s: %w", what, err)
	}
	return nil
}
