package report

import (
	"fmt"
	"slices"
	"strings"

	"tandem.bank/pkg/filter"
)

// conditions are those of the caller's rights, the filter, the currency, the cell, and of all measures together.
func (s *scan) conditions() []string {
	p := s.plan
	var out []string
	if p.scope.Limited {
		branches := s.bind("Array(UInt64)", p.scope.Branches)
		out = append(out, p.catalogue.condition(s.fact, p.catalogue.Dimension(dimensionBranch), func(column string) string {
			return column + " IN " + branches
		}))
	}
	if text := strings.TrimSpace(p.query.GetFilter()); text != "" {
		// It was compiled before, so it can't fail; the values are the same for each fact.
		condition, parameters, err := filter.ClickHouse(text, p.catalogue.filterSchema(s.fact), p.asOf)
		if err != nil {
			condition = "false"
		}
		for _, parameter := range parameters {
			s.set(parameter.Name, parameter.Value)
		}
		out = append(out, condition)
	}
	if code := p.query.GetCurrency(); code != "" && s.fact.Currency != "" {
		out = append(out, s.fact.Currency+" = "+s.bind("String", code))
	}
	for _, at := range p.coordinates {
		out = append(out, s.coordinate(at))
	}
	return append(out, s.together()...)
}

// together leaves out rows that no measure counts, so that the report has no rows of nothing.
func (s *scan) together() []string {
	var counted []string
	for _, m := range s.measures {
		if m.Where == "" {
			return nil
		}
		if where := "(" + m.Where + ")"; !slices.Contains(counted, where) {
			counted = append(counted, where)
		}
	}
	if len(counted) == 0 {
		return nil
	}
	return []string{"(" + strings.Join(counted, " OR ") + ")"}
}

// coordinate holds the rows to one value of a dimension.
func (s *scan) coordinate(at coordinate) string {
	kind := columnTypes[at.dimension.Type]
	if at.member == memberValue {
		value := s.bind(kind, at.key)
		if at.key == "" || at.key == "0" {
			// Rows without a partner in a lookup have nothing there either.
			return "NOT (" + s.plan.catalogue.condition(s.fact, at.dimension, func(column string) string { return column + " != " + value }) + ")"
		}
		return s.plan.catalogue.condition(s.fact, at.dimension, func(column string) string { return column + " = " + value })
	}
	best := s.plan.rank.ranking(s.binder)
	within := s.plan.catalogue.condition(s.fact, at.dimension, func(column string) string { return column + " IN (" + best + ")" })
	if at.member == memberOthers {
		return "NOT (" + within + ")"
	}
	return within
}

// condition asks something of a dimension: of the fact itself, or in a lookup, where no row of the fact can be repeated.
func (c *Catalogue) condition(f *Fact, d *Dimension, ask func(column string) string) string {
	if column := f.Columns[d.Name]; column != "" {
		return ask(column)
	}
	lookup := c.lookup(d.Lookup)
	return fmt.Sprintf("%s IN (SELECT %s.%s FROM %s AS %s WHERE %s)",
		f.Lookups[d.Lookup], lookup.Name, lookup.Key, lookup.Table, lookup.Name, ask(lookup.Name+"."+d.Column))
}
