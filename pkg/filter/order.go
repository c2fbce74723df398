package filter

import (
	"strconv"
	"strings"

	"go.einride.tech/aip/ordering"

	"tandem.bank/pkg/apperr"
)

// orderFieldsMax bounds how many fields an order names.
const orderFieldsMax = 8

// Order is the order of a list in Postgres. It ends with the list's id, so that no two rows are alike in it. Rows without a
// value come last, in either direction.
type Order struct {
	keys []orderKey // the last one is the id
}

type orderKey struct {
	field  *Field
	column string
	desc   bool
}

// Position is where a page ended.
type Position struct {
	// Keys are the values of the row there, as Postgres writes them, nil where it has none; without the id.
	Keys []*string `json:"k,omitempty"`
	// ID of the row.
	ID int64 `json:"i"`
}

// ParseOrder reads an order (AIP-132): fields of the schema, each followed by "desc" or not. Id is the field that names a
// row; rows that are alike are ordered by it, in the direction of the last field. Errors are INVALID_ARGUMENT on "order_by".
func ParseOrder(text string, schema Schema, id string) (Order, error) {
	var parsed ordering.OrderBy
	if err := parsed.UnmarshalString(strings.TrimSpace(text)); err != nil {
		return Order{}, apperr.InvalidField("order_by", `%q is not an order such as "name, create_time desc"`, text)
	}
	if len(parsed.Fields) > orderFieldsMax {
		return Order{}, apperr.InvalidField("order_by", "names more than %d fields", orderFieldsMax)
	}
	order, desc := Order{keys: make([]orderKey, 0, len(parsed.Fields)+1)}, false
	for _, f := range parsed.Fields {
		field := schema.lookup(f.Path)
		switch {
		case field == nil:
			return Order{}, apperr.InvalidField("order_by", "%s", schema.unknown(f.Path))
		case field.Repeated != Single || field.Related != nil && !field.Related.One:
			return Order{}, apperr.InvalidField("order_by", "%q may have many values in one row, which give no order", f.Path)
		case order.has(field):
			return Order{}, apperr.InvalidField("order_by", "%q comes twice", f.Path)
		}
		order.keys, desc = append(order.keys, orderKey{field, field.Ordered(), f.Desc}), f.Desc
		if f.Path == id { // nothing behind it can matter
			return order, nil
		}
	}
	field := schema.lookup(id)
	order.keys = append(order.keys, orderKey{field, field.Column, desc})
	return order, nil
}

func (o Order) has(field *Field) bool {
	for _, k := range o.keys {
		if k.field == field {
			return true
		}
	}
	return false
}

// Columns are the expressions, each behind a comma, that give a row's Position beside its id, to be selected as texts.
func (o Order) Columns() string {
	var out strings.Builder
	for i, k := range o.keys[:len(o.keys)-1] {
		out.WriteString(", (" + k.column + ")::text AS order_key_" + strconv.Itoa(i+1))
	}
	return out.String()
}

// Len is how many Columns there are.
func (o Order) Len() int { return len(o.keys) - 1 }

// By is the order in SQL.
func (o Order) By() string {
	parts := make([]string, len(o.keys))
	for i, k := range o.keys {
		parts[i] = k.column
		if k.desc {
			parts[i] += " DESC"
			if !k.certain(o) {
				parts[i] += " NULLS LAST"
			}
		}
	}
	return strings.Join(parts, ", ")
}

// certain says that a key is never NULL. What a related record always has, a row without one has not.
func (k orderKey) certain(o Order) bool {
	return k.field.Required && k.field.Related == nil || k == o.keys[len(o.keys)-1]
}

// Step is a part of a list to be read with one statement: the rows that satisfy a condition, in an order.
type Step struct {
	// Where selects them.
	Where string
	// By orders them.
	By string
	// Args are those of the statement so far.
	Args []any
}

// Steps are the parts of a list behind a position, nil for its beginning: what the first does not fill up, the next does.
//
// An index gives the rows with a value in either direction, and those without, but not both in one go where those without
// shall come last: hence two steps. All other orders take one.
func (o Order) Steps(after *Position, args []any) ([]Step, error) {
	if after != nil && len(after.Keys) != o.Len() {
		return nil, apperr.InvalidField("page_token", "is not a token that this list returned")
	}
	if first := o.keys[0]; len(o.keys) == 2 && first.field.Indexed && !first.certain(o) {
		return o.twoSteps(after, args), nil
	}
	s := &seek{args: args}
	where := "true"
	if after != nil {
		where = s.behind(o, o.keys, o.values(after))
	}
	return []Step{{Where: where, By: o.By(), Args: s.args}}, nil
}

func (o Order) twoSteps(after *Position, args []any) []Step {
	column, id := o.keys[0].column, o.keys[1]
	by, byID, compare := column+", "+id.column, id.column, ">"
	if id.desc {
		by, byID, compare = column+" DESC, "+id.column+" DESC", id.column+" DESC", "<"
	}
	known, unknown := &seek{args: args}, &seek{args: args}
	knownWhere, unknownWhere := column+" IS NOT NULL", column+" IS NULL"
	switch {
	case after == nil:
	case after.Keys[0] == nil:
		unknownWhere += " AND " + id.column + " " + compare + " " + unknown.bind(id, after.ID)
		return []Step{{unknownWhere, byID, unknown.args}}
	default:
		knownWhere += " AND (" + column + ", " + id.column + ") " + compare + " (" +
			known.bind(o.keys[0], *after.Keys[0]) + ", " + known.bind(id, after.ID) + ")"
	}
	return []Step{{knownWhere, by, known.args}, {unknownWhere, byID, unknown.args}}
}

// values are those of a position by key, nil where there is none.
func (o Order) values(after *Position) []any {
	out := make([]any, len(o.keys))
	for i, text := range after.Keys {
		if text != nil {
			out[i] = *text
		}
	}
	out[len(out)-1] = after.ID
	return out
}

// seek makes the condition on the rows behind a position.
type seek struct{ args []any }

func (s *seek) bind(k orderKey, value any) string {
	s.args = append(s.args, value)
	return "$" + strconv.Itoa(len(s.args)) + "::" + postgresTypes[k.field.Kind]
}

func (s *seek) behind(o Order, keys []orderKey, values []any) string {
	if row, ok := s.row(o, keys, values); ok {
		return row
	}
	k, value := keys[0], values[0]
	if value == nil {
		return "(" + k.column + " IS NULL AND " + s.behind(o, keys[1:], values[1:]) + ")"
	}
	place, compare := s.bind(k, value), " > "
	if k.desc {
		compare = " < "
	}
	behind := k.column + compare + place
	if !k.certain(o) {
		behind += " OR " + k.column + " IS NULL"
	}
	return "(" + behind + " OR " + k.column + " = " + place + " AND " + s.behind(o, keys[1:], values[1:]) + ")"
}

// row compares all keys at once, which an index can answer, where none is ever NULL and all go the same way.
func (s *seek) row(o Order, keys []orderKey, values []any) (string, bool) {
	for _, k := range keys {
		if !k.certain(o) || k.desc != keys[0].desc {
			return "", false
		}
	}
	columns, places := make([]string, len(keys)), make([]string, len(keys))
	for i, k := range keys {
		columns[i], places[i] = k.column, s.bind(k, values[i])
	}
	compare := " > "
	if keys[0].desc {
		compare = " < "
	}
	if len(keys) == 1 {
		return columns[0] + compare + places[0], true
	}
	return "(" + strings.Join(columns, ", ") + ")" + compare + "(" + strings.Join(places, ", ") + ")", true
}

// Sorted names the fields by which an index gives the order, for those whose list takes too long to sort.
func (s Schema) Sorted() []string {
	var out []string
	for i := range s {
		if s[i].Indexed {
			out = append(out, s[i].Name)
		}
	}
	return out
}
