package filter

import (
	"strconv"
	"strings"
)

// Postgres compiles a filter to a condition for Postgres. Parameters are numbered after the bound arguments that the
// statement already has. An empty filter gives "true". Errors are INVALID_ARGUMENT on the field "filter".
//
// Days relative to today are those of the session's time zone, which is the bank's.
func Postgres(text string, schema Schema, bound []any) (condition string, args []any, err error) {
	if strings.TrimSpace(text) == "" {
		return "true", bound, nil
	}
	to := &postgres{args: bound}
	out, err := compile(text, schema, to, nil)
	if err != nil {
		return "", nil, err
	}
	return out.sql, to.args, nil
}

type postgres struct{ args []any }

var postgresTypes = map[Kind]string{
	Text: "text", Enum: "text", Int: "bigint", Decimal: "numeric", Date: "date", Time: "timestamptz", Bool: "boolean",
}

func (p *postgres) bind(kind Kind, value any) string { return p.as(postgresTypes[kind], value) }

func (p *postgres) as(typ string, value any) string {
	p.args = append(p.args, value)
	return "$" + strconv.Itoa(len(p.args)) + "::" + typ
}

func (p *postgres) moment(kind Kind, m moment) string {
	from := "current_date"
	if m.now {
		from = "now()"
	}
	if offset := m.interval(); offset != "" {
		from = "(" + from + " + " + p.as("interval", offset) + ")"
	}
	return from + "::" + postgresTypes[kind]
}

func (*postgres) differs(column, value string) string { return column + " IS DISTINCT FROM " + value }

func (*postgres) contains(column, value string) string {
	return "strpos(lower(" + column + "), lower(" + value + ")) > 0"
}

func (*postgres) element(field *Field, value string) string {
	if field.Repeated == JSONArray {
		return field.Column + " @> to_jsonb(" + value + ")"
	}
	return field.Column + " @> ARRAY[" + value + "]"
}

func (*postgres) isSet(field *Field) string {
	switch {
	case field.Repeated == Array:
		return "cardinality(" + field.Column + ") > 0"
	case field.Repeated == JSONArray:
		return "jsonb_array_length(" + field.Column + ") > 0"
	case field.Kind == Text || field.Kind == Enum:
		return field.Column + " <> ''"
	default:
		return field.Column + " IS NOT NULL"
	}
}

func (*postgres) untrue(condition string) string { return "(" + condition + ") IS NOT TRUE" }

func (*postgres) exists(r *Related, condition string) string {
	if condition != "" {
		condition = " AND " + condition
	}
	return "EXISTS (SELECT FROM " + r.From + " WHERE " + r.Key + " = " + r.Of + condition + ")"
}
