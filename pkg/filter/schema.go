// Package filter compiles the one filter language (AIP-160) to SQL with bound values.
//
// A filter compares declared fields with literals: `state = "active" AND (region_id = 3 OR birth_date < "1980-01-01")`.
// AND, OR and NOT combine; `:` asks whether a field is set (`phone:*`) or, for text, contains a word part; a bare word is
// a text literal. Nothing of the caller's text ever becomes SQL.
package filter

import (
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
	// Date is a day, written "2006-01-02".
	Date
	// Time is an instant, written as RFC 3339.
	Time
	// Bool is true or false.
	Bool
)

// Field is one field that filters may name.
type Field struct {
	// Name as callers write it, for example "individual.birth_date".
	Name string
	// Column is the SQL expression behind it.
	Column string
	// Kind of its values.
	Kind Kind
	// Values allowed for an Enum.
	Values []string
	// Equal is the condition for = when it is not Column = value, with %s or %[1]s where the value stands: of fields that
	// hold several values, or that an index of another form answers for.
	Equal string
}

// Schema is what a list can be filtered by.
type Schema []Field

func (s Schema) lookup(name string) (Field, bool) {
	i := slices.IndexFunc(s, func(f Field) bool { return f.Name == name })
	if i < 0 {
		return Field{}, false
	}
	return s[i], true
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
