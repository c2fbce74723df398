package customerfact

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// markPattern finds what stands in braces in facts.yaml.
var markPattern = regexp.MustCompile(`\{([a-z_]+)\}`)

// Source is a table expression, to stand after FROM with the alias f, that has customer_id and the facts named, one row for each
// customer that exists on the day. Customers limits it to some; none means all. An unknown fact or a day that has not come yet is
// INVALID_ARGUMENT.
func (s *Service) Source(ctx context.Context, names []string, day time.Time, customers []uint64) (Source, error) {
	catalogue, err := s.Catalogue(ctx)
	if err != nil {
		return Source{}, err
	}
	facts, err := catalogue.resolve(names)
	if err != nil {
		return Source{}, err
	}
	m, err := s.moment(ctx, day)
	if err != nil {
		return Source{}, err
	}
	b := builder{catalogue: catalogue, moment: m, scope: scope{customers}, parameters: newParameters(m.day)}
	return Source{SQL: b.computed(facts), Parameters: b.parameters.bound(), Day: m.day}, nil
}

// builder writes the statement that computes facts.
type builder struct {
	catalogue  *Catalogue
	moment     moment
	scope      scope
	parameters *parameters
}

// computed is the table expression of facts: those of each source are one SELECT, joined to the customers there are.
func (b *builder) computed(facts []*Fact) string {
	var sources []*source
	of := map[*source][]*Fact{}
	for _, f := range facts {
		if f.LevelOf != nil {
			f = f.LevelOf
		}
		if of[f.source] == nil && f.source.Name != base {
			sources = append(sources, f.source)
		}
		if !slices.Contains(of[f.source], f) {
			of[f.source] = append(of[f.source], f)
		}
	}
	columns := []string{"b.customer_id AS customer_id"}
	place := map[*source]string{}
	var joins strings.Builder
	for i, s := range sources {
		place[s] = "s" + strconv.Itoa(i+1)
		fmt.Fprintf(&joins, "\nLEFT JOIN %s AS %s ON %s.customer_id = b.customer_id", b.selected(s, of[s]), place[s], place[s])
	}
	root := &source{From: "{customer} AS r", Customer: "r.customer_id"}
	var own []*Fact
	for s, facts := range of {
		if s.Name == base {
			own = facts
		}
	}
	for _, f := range facts {
		columns = append(columns, f.expression(place)+" AS "+quote(f.Name))
	}
	return fmt.Sprintf("(SELECT %s\nFROM %s AS b%s)", strings.Join(columns, ", "), b.selected(root, own), joins.String())
}

// expression is a fact in the outer SELECT.
func (f *Fact) expression(place map[*source]string) string {
	if f.LevelOf != nil {
		return f.LevelOf.Levels.sql(f.LevelOf.expression(place))
	}
	alias := place[f.source]
	if alias == "" {
		alias = "b"
	}
	return alias + "." + quote(f.Name)
}

// sql is the name of the level that a value lies in, empty for an unknown one.
func (l *Levels) sql(value string) string {
	parts := []string{"isNull(" + value + ")", "''"}
	for i, edge := range l.Edges {
		parts = append(parts, value+" < "+strconv.FormatFloat(edge, 'f', -1, 64), "'"+l.Names[i]+"'")
	}
	return "multiIf(" + strings.Join(append(parts, "'"+l.Names[len(l.Edges)]+"'"), ", ") + ")"
}

// selected is the SELECT of a source's facts.
func (b *builder) selected(s *source, facts []*Fact) string {
	columns := []string{s.Customer + " AS customer_id"}
	for _, f := range facts {
		columns = append(columns, fmt.Sprintf("CAST(%s, '%s') AS %s", b.fill(f.SQL), f.columnType(), quote(f.Name)))
	}
	group := ""
	if s.Group {
		group = " GROUP BY customer_id"
	}
	condition := ""
	if s.Name == "" { // the customers that exist: one who was with the bank later only is none yet
		condition = " WHERE r.customer_since IS NULL OR r.customer_since <= " + b.day()
	}
	return fmt.Sprintf("(SELECT %s FROM %s%s%s)", strings.Join(columns, ", "), b.fill(s.From), condition, group)
}

// fill puts tables, records and the day into a piece of the catalogue.
func (b *builder) fill(sql string) string {
	return markPattern.ReplaceAllStringFunc(sql, func(mark string) string {
		name := mark[1 : len(mark)-1]
		if name == "day" {
			return b.day()
		}
		if table, ok := b.catalogue.tables[name]; ok {
			return "(" + b.fill(table) + ")"
		}
		return records[name].rows(name, b.moment, b.scope, b.parameters)
	})
}

func (b *builder) day() string {
	return b.parameters.bind("day", "Date", b.moment.day.Format(time.DateOnly))
}

// quote makes a name safe in a statement; names of facts hold no quotes.
func quote(name string) string { return "`" + name + "`" }
