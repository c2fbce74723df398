package report

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/filter"
)

// checkFilter compiles the filter for each fact.
func (p *plan) checkFilter() []apperr.Violation {
	if strings.TrimSpace(p.query.GetFilter()) == "" {
		return nil
	}
	for _, m := range p.base {
		fact := p.catalogue.Fact(m.Fact)
		schema := p.catalogue.filterSchema(fact)
		names := make([]string, len(schema))
		for i := range schema {
			names[i] = schema[i].Name
		}
		for _, name := range filter.Fields(p.query.GetFilter()) {
			if !slices.Contains(names, name) {
				return []apperr.Violation{unknown("query.filter", "field by which "+m.Name+" can be filtered", name, names)}
			}
		}
		if _, _, err := filter.ClickHouse(p.query.GetFilter(), schema, p.asOf); err != nil {
			return filterViolations(err)
		}
	}
	return nil
}

// filterViolations names the query's filter as the field in which the language found a mistake.
func filterViolations(err error) []apperr.Violation {
	var refusal *apperr.Error
	if !errors.As(err, &refusal) {
		return []apperr.Violation{violation("query.filter", "%s", err)}
	}
	found := slices.Clone(refusal.Violations)
	for i := range found {
		found[i].Field = "query." + found[i].Field
	}
	return found
}

// filterSchema is what a fact can be filtered by. What stands in a lookup is asked for there, so that no row is repeated.
func (c *Catalogue) filterSchema(f *Fact) filter.Schema {
	var schema filter.Schema
	for _, d := range c.Dimensions {
		if d.Grain != "" || !f.has(d) {
			continue
		}
		field := c.filterField(f, d)
		if d.Label != nil {
			schema = append(schema, c.labelField(d, field))
			field.Name = d.Name + filterIDSuffix
		}
		schema = append(schema, field)
	}
	return schema
}

// labelField compares the labels of a dimension whose ids are compared by a field.
func (c *Catalogue) labelField(d *Dimension, id filter.Field) filter.Field {
	label := c.lookup(d.Label.Lookup)
	from, key := label.Table+" AS "+label.Name, label.Name+"."+label.Key
	related := &filter.Related{One: true, Name: "." + d.Name, From: from, Key: key, Of: id.Column}
	if inner := id.Related; inner != nil {
		related.From, related.Key, related.Of = fmt.Sprintf("%s INNER JOIN %s ON %s = %s", inner.From, from, key, id.Column), inner.Key, inner.Of
	}
	return filter.Field{Name: d.Name, Kind: filter.Text, Required: true, Column: label.Name + "." + d.Label.Column, Related: related}
}

// filterField compares the values of a dimension, of an id its number.
func (c *Catalogue) filterField(f *Fact, d *Dimension) filter.Field {
	field := filter.Field{Name: d.Name, Kind: filter.Text, Required: true}
	if d.Type != typeText {
		field.Kind = filter.Int
	}
	if column := f.Columns[d.Name]; column != "" {
		field.Column = column
		return field
	}
	lookup := c.lookup(d.Lookup)
	field.Column = lookup.Name + "." + d.Column
	if d.Members != "" {
		field.Column, field.Repeated = lookup.Name+"."+d.Members, filter.Array
	}
	field.Related = &filter.Related{
		Name: "." + d.Name, From: lookup.Table + " AS " + lookup.Name, Key: lookup.Name + "." + lookup.Key, Of: f.Lookups[d.Lookup], One: true,
	}
	return field
}
