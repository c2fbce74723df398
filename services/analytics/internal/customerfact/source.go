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
var markPattern = regexp.MustCompile(`\{([a-z_]+)(?::([a-z_.0-9]+))?\}`)

// Source is a table expression, to stand after FROM with the alias f, that has customer_id and the facts named, one row for each
// customer that exists on the day. Customers limits it to some; none means all. Today's facts are read from where they are kept, which
// follows the bank within seconds; those of another day are computed. An unknown fact or a day that has not come yet is
// INVALID_ARGUMENT.
func (s *Service) Source(ctx context.Context, names []string, day time.Time, customers []uint64) (Source, error) {
	catalogue, err := s.CatalogueFor(ctx, names)
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
	b := builder{catalogue: catalogue, moment: m, scope: scope{customers: customers}, parameters: s.parameters(m.day)}
	if b.kept, err = s.keeps(ctx, m); err != nil {
		return Source{}, public(err)
	}
	return Source{SQL: b.table(facts), Parameters: b.parameters.bound(), Day: m.day, Kept: b.kept}, nil
}

// builder writes the statement that tells facts.
type builder struct {
	catalogue  *Catalogue
	moment     moment
	scope      scope
	parameters *parameters
	// kept says that facts that are kept are read from customer_fact.
	kept bool
}

// table is the table expression of facts: those of each source are one SELECT, joined to the customers there are.
func (b *builder) table(facts []*Fact) string {
	var own []*Fact // facts of the customers' own rows
	var joined []*source
	of := map[*source][]*Fact{}
	for _, f := range facts {
		f = f.origin()
		switch {
		case b.kept && f.source.kept(), f.source.Name == base:
			if !slices.Contains(own, f) {
				own = append(own, f)
			}
			continue
		case of[f.source] == nil:
			joined = append(joined, f.source)
		}
		if !slices.Contains(of[f.source], f) {
			of[f.source] = append(of[f.source], f)
		}
	}
	place := map[*source]string{}
	var joins strings.Builder
	for i, s := range joined {
		place[s] = "s" + strconv.Itoa(i+1)
		fmt.Fprintf(&joins, "\nLEFT JOIN %s AS %s ON %s.customer_id = b.customer_id", b.selected(s, of[s]), place[s], place[s])
	}
	columns := []string{"b.customer_id AS customer_id"}
	for _, f := range facts {
		columns = append(columns, b.expression(f, place)+" AS "+quote(f.Name))
	}
	told := strings.Join(columns, ", ")
	switch {
	case !b.kept:
		return fmt.Sprintf("(SELECT %s\nFROM %s AS b%s)", told, b.existing(own), joins.String())
	case len(joined) == 0:
		return fmt.Sprintf("(SELECT %s\nFROM customer_fact AS b FINAL WHERE %s)", told, b.scope.in("b.customer_id", b.parameters))
	default:
		return fmt.Sprintf("(SELECT %s\nFROM %s AS b%s)", told, b.keptRows(own), joins.String())
	}
}

// keptRows are the customers with facts that are kept. They are named one by one: ClickHouse plans each column that it is given.
func (b *builder) keptRows(own []*Fact) string {
	columns := []string{"customer_id"}
	for _, f := range own {
		columns = append(columns, quote(f.Name))
	}
	return fmt.Sprintf("(SELECT %s FROM customer_fact FINAL WHERE %s)", strings.Join(columns, ", "), b.scope.in("customer_id", b.parameters))
}

// expression is a fact in the outer SELECT.
func (b *builder) expression(f *Fact, place map[*source]string) string {
	switch {
	case f.across != nil:
		return f.across(b, f.of, b.expression(f.of, place))
	case f.of != nil:
		return f.derive(b.expression(f.of, place))
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
		parts = append(parts, value+" < "+decimal(edge), "'"+l.Names[i]+"'")
	}
	return "multiIf(" + strings.Join(append(parts, "'"+l.Names[len(l.Edges)]+"'"), ", ") + ")"
}

// existing are the customers that there are on the day, with facts of their own rows: one who was with the bank later only is none yet.
func (b *builder) existing(own []*Fact) string {
	return b.rows(own, "r.customer_id", "{customer} AS r WHERE r.customer_since IS NULL OR r.customer_since <= {day}")
}

// selected is the SELECT of a source's facts.
func (b *builder) selected(s *source, facts []*Fact) string {
	from := s.From
	if s.Group {
		from += " GROUP BY customer_id"
	}
	return b.rows(facts, s.Customer, from)
}

func (b *builder) rows(facts []*Fact, customer, from string) string {
	columns := []string{customer + " AS customer_id"}
	for _, f := range facts {
		sql := b.fill(f.SQL)
		if f.Type == Decimal {
			sql = "round(" + sql + ", 4)"
		}
		columns = append(columns, fmt.Sprintf("CAST(%s, '%s') AS %s", sql, f.columnType(), quote(f.Name)))
	}
	return fmt.Sprintf("(SELECT %s FROM %s)", strings.Join(columns, ", "), b.fill(from))
}

// fill puts tables, records and the day into a piece of the catalogue.
func (b *builder) fill(sql string) string {
	return markPattern.ReplaceAllStringFunc(sql, func(mark string) string {
		parts := markPattern.FindStringSubmatch(mark)
		name, column := parts[1], parts[2]
		switch name {
		case "day":
			return b.parameters.bind("day", "Date", b.moment.day.Format(time.DateOnly))
		case "end":
			return b.parameters.bind("end", "DateTime64(6, 'UTC')", b.moment.end.UTC().Format(timeLayout))
		case "rated":
			return b.parameters.bind("rated", "DateTime64(6, 'UTC')", b.moment.rated.UTC().Format(timeLayout))
		case "known":
			return b.moment.knownBy(column, b.parameters)
		case "among":
			return b.scope.in(column, b.parameters)
		case "rate":
			return b.rate(column)
		}
		if table, ok := b.catalogue.tables[name]; ok {
			return "(" + b.fill(table) + ")"
		}
		return records[name].rows(b.moment, b.scope, b.parameters)
	})
}

// ratesSQL is the base currency and what each currency was worth in it, as one value: the last rate that was known by the day. There
// are a few dozen.
const ratesSQL = `(SELECT (max(base), CAST((groupArray(money), groupArray(last)), 'Map(String, Decimal(38, 10))'))
FROM (SELECT base, money, argMax(rate, rate_date) AS last
FROM (SELECT toString(base_currency) AS base, toString(currency) AS money, rate_date, argMaxMerge(rate) AS rate
FROM currency_rate_known WHERE rate_date <= {day} AND known_time < {rated} GROUP BY base, money, rate_date) GROUP BY base, money))`

// rate is what a unit of the currency in a column was worth; NULL when that is not known.
func (b *builder) rate(column string) string {
	rates := b.fill(ratesSQL)
	money := "CAST(" + column + ", 'String')"
	return fmt.Sprintf("if(%s.1 = '' OR %s.1 = %s, toDecimal128(1, 10), nullIf(%s.2[%s], toDecimal128(0, 10)))", rates, rates, money, rates, money)
}

// quote makes a name safe in a statement; names of facts hold no quotes.
func quote(name string) string { return "`" + name + "`" }
