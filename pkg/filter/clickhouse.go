package filter

import (
	"strconv"
	"time"

	"github.com/shopspring/decimal"
)

// Parameter is a value that ClickHouse binds by name.
type Parameter struct {
	Name string
	// Value as text.
	Value string
}

// ClickHouse compiles a filter to a condition for ClickHouse. Days and instants relative to now are relative to asOf, in its
// zone, so that the same asOf over the same data gives the same rows. An empty filter gives "true". functions are those that the
// filter may use beyond in(…) and between(…). Errors are INVALID_ARGUMENT on the field "filter".
func ClickHouse(text string, schema Schema, asOf time.Time, functions ...Function) (condition string, parameters []Parameter, err error) {
	statement := NewStatement(asOf, functions...)
	if condition, err = statement.Condition(text, schema); err != nil {
		return "", nil, err
	}
	return condition, statement.Parameters(), nil
}

type clickHouse struct {
	asOf       time.Time
	parameters []Parameter
}

var clickHouseTypes = map[Kind]string{
	Text: "String", Enum: "String", Int: "Int64", Decimal: "Decimal(38, 8)", Date: "Date32", Time: "DateTime64(6, 'UTC')", Bool: "Bool",
}

// Amounts of money have four decimals, in columns too. A value that needs no more is bound as such, because of two decimals of different
// scales ClickHouse multiplies one anew in each row.
const (
	moneyScale = 4
	moneyType  = "Decimal(38, 4)"
)

// clickHouseTime is an instant in UTC.
const clickHouseTime = "2006-01-02 15:04:05.000000"

func (c *clickHouse) bind(kind Kind, value any) string {
	text, typ := "", clickHouseTypes[kind]
	switch v := value.(type) {
	case string:
		text = v
	case int64:
		text = strconv.FormatInt(v, 10)
	case decimal.Decimal:
		text = v.String()
		if kind == Decimal && v.Exponent() >= -moneyScale {
			typ = moneyType
		}
	case bool:
		text = strconv.FormatBool(v)
	case time.Time:
		text = v.UTC().Format(clickHouseTime)
		if kind == Date {
			text = v.Format(time.DateOnly)
		}
	}
	name := "filter_" + strconv.Itoa(len(c.parameters)+1)
	c.parameters = append(c.parameters, Parameter{name, text})
	return "{" + name + ":" + typ + "}"
}

func (c *clickHouse) moment(kind Kind, m moment) string {
	at := c.asOf
	if !m.now {
		at = time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, at.Location())
	}
	return c.bind(kind, m.after(at))
}

func (*clickHouse) differs(column, value string) string {
	return "NOT ifNull(" + column + " = " + value + ", false)"
}

func (*clickHouse) contains(column, value string) string {
	return "position(lowerUTF8(" + column + "), lowerUTF8(" + value + ")) > 0"
}

func (*clickHouse) element(field *Field, value string) string {
	return "has(" + field.Column + ", " + value + ")"
}

func (*clickHouse) isSet(field *Field) string {
	switch {
	case field.Repeated != Single:
		return "notEmpty(" + field.Column + ")"
	case field.Kind == Text || field.Kind == Enum:
		return field.Column + " != ''"
	default:
		return "isNotNull(" + field.Column + ")"
	}
}

func (*clickHouse) untrue(condition string) string { return "NOT ifNull(" + condition + ", false)" }

func (*clickHouse) exists(r *Related, condition string) string {
	if condition != "" {
		condition = " WHERE " + condition
	}
	return r.Of + " IN (SELECT " + r.Key + " FROM " + r.From + condition + ")"
}
