// Package filter compiles the one filter language (AIP-160) and orders (AIP-132) to SQL with bound values, for Postgres and
// for ClickHouse. README.md tells callers what they can write.
//
// A filter compares declared fields with literals: `state = "active" AND (region_id = 3 OR birth_date < "today-18y")`.
// Nothing of the caller's text ever becomes SQL. The text of the statement depends on the shape of the filter alone, so
// that a database can keep it prepared.
package filter

import (
	"fmt"
	"slices"
	"strings"
)

// Kind is the type of a field's values.
type Kind int

// Kinds of fields.
const (
	// Text compares as text.
	Text Kind = iota
	// Enum is text with a closed set of values in lower case; any spelling of case is accepted.
	Enum
	// Int is a whole number.
	Int
	// Decimal is an exact number.
	Decimal
	// Date is a day, written "2006-01-02" or relative to today as "today-18y".
	Date
	// Time is an instant, written as RFC 3339, or relative as "now-2h" or "today-30d".
	Time
	// Bool is true or false.
	Bool
)

// Repetition says whether a field holds many values.
type Repetition int

// How a column holds many values.
const (
	// Single is one value.
	Single Repetition = iota
	// Array is an array of the database.
	Array
	// JSONArray is an array of plain values in jsonb.
	JSONArray
)

// Field is one field that filters and orders may name.
type Field struct {
	// Name as callers write it, for example "individual.birth_date".
	Name string
	// Column is the SQL expression behind it.
	Column string
	// Kind of its values.
	Kind Kind
	// Values allowed for an Enum.
	Values []string
	// Fold says that Column is in lower case: what it is compared with is folded too.
	Fold bool
	// Repeated says that the column holds many values: `field:value` asks for one of them.
	Repeated Repetition
	// Related says that the field belongs to other records; its Name begins with the name of their group.
	Related *Related
	// Required says that every row has a value: never NULL, nor '' in a text.
	Required bool
	// Indexed says that an index over what Ordered returns, ended by the list's id, gives the order by this field.
	Indexed bool
}

// Related are records that belong to those of a list, as a customer's accounts.
type Related struct {
	// Name of the group, for example "accounts".
	Name string
	// From names the table with an alias, by which the columns of the group's fields go: "account_holder h".
	From string
	// Key is the column of From that names the record of the list: "h.customer_id".
	Key string
	// Of is the column of the list that Key names: "customer.customer_id".
	Of string
	// One says that there is one at most.
	One bool
	// Value is the field of the group, without its prefix, that `group:value` compares; empty when there is no such.
	Value string
}

// Ordered is the expression that an order by this field sorts by: NULL where there is no value.
func (f *Field) Ordered() string {
	column := f.Column
	if !f.Required && (f.Kind == Text || f.Kind == Enum) {
		column = "nullif(" + column + ", '')"
	}
	if f.Related != nil {
		return fmt.Sprintf("(SELECT %s FROM %s WHERE %s = %s)", column, f.Related.From, f.Related.Key, f.Related.Of)
	}
	return column
}

// Schema is what a list can be filtered and ordered by. One that depends on the call is made by appending to a constant one.
type Schema []Field

func (s Schema) lookup(name string) *Field {
	for i := range s {
		if s[i].Name == name {
			return &s[i]
		}
	}
	return nil
}

// Of makes fields of the schema those of related records: "currency" becomes "accounts.currency", behind the alias a.
// Their columns must be plain ones.
func (s Schema) Of(related *Related, alias string, names ...string) Schema {
	out := make(Schema, 0, len(names))
	for _, name := range names {
		field := *s.lookup(name)
		field.Name, field.Column, field.Related, field.Indexed = related.Name+"."+name, alias+"."+field.Column, related, false
		out = append(out, field)
	}
	return out
}

// Values are those that an Enum allows.
func (s Schema) Values(name string) []string { return s.lookup(name).Values }

// group finds related records by the name of their group.
func (s Schema) group(name string) *Related {
	for i := range s {
		if r := s[i].Related; r != nil && r.Name == name {
			return r
		}
	}
	return nil
}

// namesMax is how many names an error lists.
const namesMax = 100

// unknown says what a list has instead of a field that it does not have: for a name in a group, what the group has.
func (s Schema) unknown(name string) string {
	all, listed := make([]string, len(s)), []string{}
	prefix, _, _ := strings.Cut(name, ".")
	group := s.group(prefix)
	for i := range s {
		all[i] = s[i].Name
		shown := s[i].Name
		switch r := s[i].Related; {
		case group != nil && r != group:
			continue
		case group == nil && r != nil:
			shown = r.Name + ".*"
		}
		if !slices.Contains(listed, shown) {
			listed = append(listed, shown)
		}
	}
	if like := nearest(name, all); like != "" {
		return fmt.Sprintf("%q is not a field of this list; did you mean %q?", name, like)
	}
	more := ""
	if len(listed) > namesMax {
		more = fmt.Sprintf(" and %d more", len(listed)-namesMax)
		listed = listed[:namesMax]
	}
	return fmt.Sprintf("%q is not a field of this list; it has %s%s", name, strings.Join(listed, ", "), more)
}

// nearest returns the declared name most like a wrong one, by edit distance (Levenshtein, 1966).
func nearest(wrong string, names []string) string {
	best, bestDistance := "", len(wrong)/2+2
	for _, name := range names {
		if d := distance(strings.ToLower(wrong), name); d < bestDistance {
			best, bestDistance = name, d
		}
	}
	return best
}

func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(diagonal+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
