package filter

import (
	"fmt"
	"strings"

	"go.einride.tech/aip/filtering"
	expr "google.golang.org/genproto/googleapis/api/expr/v1alpha1"

	"tandem.bank/pkg/apperr"
)

// depthMax bounds nesting, so that a hostile filter can't exhaust the stack.
const depthMax = 50

// condition is a part of a filter in SQL.
type condition struct {
	sql string
	// known says that it is never NULL.
	known bool
}

// compile turns a filter into a condition of a dialect. Errors are INVALID_ARGUMENT on the field "filter".
func compile(text string, schema Schema, to dialect) (string, error) {
	if nesting(text) > depthMax {
		return "", apperr.InvalidField("filter", "is nested deeper than %d", depthMax)
	}
	var parser filtering.Parser
	parser.Init(text)
	parsed, err := parser.Parse()
	if err != nil {
		return "", apperr.InvalidField("filter", "%s", strings.TrimSpace(err.Error()))
	}
	c := &compiler{schema: schema, to: to, positions: parsed.GetSourceInfo().GetPositions()}
	out, err := c.condition(parsed.GetExpr(), 0)
	return out.sql, err
}

func nesting(text string) int {
	depth, deepest := 0, 0
	for _, r := range text {
		switch r {
		case '(', '-':
			depth++
		case ')':
			depth--
		}
		deepest = max(deepest, depth)
	}
	return deepest + strings.Count(text, "NOT ")
}

type compiler struct {
	schema    Schema
	to        dialect
	positions map[int64]int32
	// group is set inside `group:(…)`: names are those of its fields, and all conditions are about one record of it.
	group *Related
}

func (c *compiler) condition(e *expr.Expr, depth int) (condition, error) {
	call := e.GetCallExpr()
	if call == nil {
		return condition{}, c.fail(e, "a comparison is missing: write field = value")
	}
	if depth > 10*depthMax {
		return condition{}, c.fail(e, "has too many terms")
	}
	switch call.GetFunction() {
	case filtering.FunctionAnd, filtering.FunctionOr:
		return c.junction(call, depth)
	case filtering.FunctionNot:
		inner, err := c.condition(call.GetArgs()[0], depth+1)
		if inner.known {
			return condition{"NOT (" + inner.sql + ")", true}, err
		}
		// A comparison with an unknown value is not true, so its negation is: what isn't known to match is excluded by NOT only
		// when it matches.
		return condition{c.to.untrue(inner.sql), true}, err
	case filtering.FunctionFuzzyAnd:
		return condition{}, c.fail(e, "join terms with AND or OR")
	default:
		return c.restriction(e, call, depth)
	}
}

func (c *compiler) junction(call *expr.Expr_Call, depth int) (condition, error) {
	left, err := c.condition(call.GetArgs()[0], depth+1)
	if err != nil {
		return condition{}, err
	}
	right, err := c.condition(call.GetArgs()[1], depth+1)
	return condition{"(" + left.sql + " " + call.GetFunction() + " " + right.sql + ")", left.known && right.known}, err
}

var operators = map[string]string{
	filtering.FunctionEquals: "=", filtering.FunctionNotEquals: "!=",
	filtering.FunctionLessThan: "<", filtering.FunctionLessEquals: "<=",
	filtering.FunctionGreaterThan: ">", filtering.FunctionGreaterEquals: ">=", filtering.FunctionHas: ":",
}

// restriction is one comparison, or conditions on one related record.
func (c *compiler) restriction(e *expr.Expr, call *expr.Expr_Call, depth int) (condition, error) {
	operator, known := operators[call.GetFunction()]
	if !known || len(call.GetArgs()) != 2 {
		return condition{}, c.fail(e, "%s is not a known comparison", call.GetFunction())
	}
	name, value := path(call.GetArgs()[0]), call.GetArgs()[1]
	if c.group != nil {
		name = c.group.Name + "." + name
	} else if group := c.schema.group(name); group != nil && operator == ":" {
		return c.related(e, group, value, depth)
	}
	field := c.schema.lookup(name)
	if field == nil {
		return condition{}, c.fail(e, "%s", c.schema.unknown(name))
	}
	text, ok := literal(value)
	if !ok {
		return condition{}, c.fail(e, "%s must be compared with a literal value", name)
	}
	compare := c.comparison
	if field.Related != nil && c.group == nil {
		compare = c.ofRelated
	}
	out, err := compare(field, operator, text)
	if err != nil {
		return condition{}, c.fail(e, "%s: %v", name, err)
	}
	return out, nil
}

// ofRelated is a comparison that some related record must satisfy.
func (c *compiler) ofRelated(field *Field, operator, text string) (condition, error) {
	not := ""
	if field.Related.One && operator == "!=" {
		// Nothing related differs from every value, as an unknown value does.
		operator, not = "=", "NOT "
	}
	out, err := c.comparison(field, operator, text)
	return condition{not + c.to.exists(field.Related, out.sql), true}, err
}

// related is `group:*` or `group:(conditions on one record)`.
func (c *compiler) related(e *expr.Expr, group *Related, value *expr.Expr, depth int) (condition, error) {
	if text, ok := literal(value); ok && text == "*" {
		return condition{c.to.exists(group, ""), true}, nil
	}
	if value.GetCallExpr() == nil {
		return condition{}, c.fail(e, "write %[1]s:* or %[1]s:(field = value AND …)", group.Name)
	}
	c.group = group
	inner, err := c.condition(value, depth+1)
	c.group = nil
	return condition{c.to.exists(group, inner.sql), true}, err
}

func (c *compiler) comparison(field *Field, operator, text string) (condition, error) {
	if text == "*" && (operator == ":" || field.Kind == Text && field.Repeated == Single && equality(operator)) {
		return c.isSet(field, operator == "!="), nil
	}
	if field.Repeated != Single {
		return c.element(field, operator, text)
	}
	if operator == ":" {
		return c.contains(field, text)
	}
	if pattern, ok := wildcard(text); ok && field.Kind == Text && equality(operator) {
		return c.like(field, operator, pattern)
	}
	value, err := c.value(field, text)
	switch {
	case err != nil:
		return condition{}, err
	case operator == "!=":
		return condition{c.to.differs(field.Column, value), true}, nil
	default:
		return condition{field.Column + " " + operator + " " + value, field.Required}, nil
	}
}

func (c *compiler) isSet(field *Field, negated bool) condition {
	out := condition{c.to.isSet(field), field.Required}
	if negated {
		return condition{c.to.untrue(out.sql), true}
	}
	return out
}

// value renders a literal as SQL of the field's kind.
func (c *compiler) value(field *Field, text string) (string, error) {
	if field.Kind == Date || field.Kind == Time {
		if m, ok, err := parseMoment(text); ok || err != nil {
			return c.to.moment(field.Kind, m), err
		}
	}
	if field.Fold {
		text = strings.ToLower(text)
	}
	value, err := parse(field, text)
	if err != nil {
		return "", err
	}
	return c.to.bind(field.Kind, value), nil
}

func equality(operator string) bool { return operator == "=" || operator == "!=" }

func (c *compiler) element(field *Field, operator, text string) (condition, error) {
	if operator != ":" {
		return condition{}, fmt.Errorf("has many values; ask for one of them with %s:value", field.Name)
	}
	value, err := c.value(field, text)
	if err != nil {
		return condition{}, err
	}
	return condition{c.to.element(field, value), field.Required}, nil
}

// contains is `field:text`, whatever the case of the letters.
func (c *compiler) contains(field *Field, text string) (condition, error) {
	if field.Kind != Text {
		return condition{}, fmt.Errorf("can't be searched with ':'; use = or %s:*", field.Name)
	}
	value, err := c.value(field, text)
	if err != nil {
		return condition{}, err
	}
	return condition{c.to.contains(field.Column, value), field.Required}, nil
}

func (c *compiler) like(field *Field, operator, pattern string) (condition, error) {
	value, err := c.value(field, pattern)
	if err != nil {
		return condition{}, err
	}
	like := field.Column + " LIKE " + value
	if operator == "!=" {
		return condition{c.to.untrue(like), true}, nil
	}
	return condition{like, field.Required}, nil
}

func (c *compiler) fail(e *expr.Expr, format string, args ...any) error {
	at := c.positions[e.GetId()] + 1
	return apperr.InvalidField("filter", "at character %d: %s", at, fmt.Sprintf(format, args...))
}
