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

// Postgres compiles a filter to a condition for Postgres. Parameters are numbered after the bound arguments that the
// statement already has. An empty filter gives "true". Errors are INVALID_ARGUMENT on the field "filter".
func Postgres(text string, schema Schema, bound []any) (condition string, args []any, err error) {
	if strings.TrimSpace(text) == "" {
		return "true", bound, nil
	}
	if nesting(text) > depthMax {
		return "", nil, apperr.InvalidField("filter", "is nested deeper than %d", depthMax)
	}
	var parser filtering.Parser
	parser.Init(text)
	parsed, err := parser.Parse()
	if err != nil {
		return "", nil, apperr.InvalidField("filter", "%s", strings.TrimSpace(err.Error()))
	}
	c := &compiler{schema: schema, args: bound, positions: parsed.GetSourceInfo().GetPositions()}
	condition, err = c.condition(parsed.GetExpr(), 0)
	if err != nil {
		return "", nil, err
	}
	return condition, c.args, nil
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
	args      []any
	positions map[int64]int32
}

func (c *compiler) condition(e *expr.Expr, depth int) (string, error) {
	call := e.GetCallExpr()
	if call == nil {
		return "", c.fail(e, "a comparison is missing: write field = value")
	}
	if depth > 10*depthMax {
		return "", c.fail(e, "has too many terms")
	}
	switch call.GetFunction() {
	case filtering.FunctionAnd, filtering.FunctionOr:
		return c.junction(call, depth)
	case filtering.FunctionNot:
		inner, err := c.condition(call.GetArgs()[0], depth+1)
		// A comparison with an unknown value is not true, so its negation is: what isn't known to match is excluded by NOT only
		// when it matches.
		return "(" + inner + ") IS NOT TRUE", err
	case filtering.FunctionFuzzyAnd:
		return "", c.fail(e, "join terms with AND or OR")
	default:
		return c.comparison(e, call)
	}
}

func (c *compiler) junction(call *expr.Expr_Call, depth int) (string, error) {
	left, err := c.condition(call.GetArgs()[0], depth+1)
	if err != nil {
		return "", err
	}
	right, err := c.condition(call.GetArgs()[1], depth+1)
	return fmt.Sprintf("(%s %s %s)", left, call.GetFunction(), right), err
}

var operators = map[string]string{
	filtering.FunctionEquals: "=", filtering.FunctionNotEquals: "IS DISTINCT FROM",
	filtering.FunctionLessThan: "<", filtering.FunctionLessEquals: "<=",
	filtering.FunctionGreaterThan: ">", filtering.FunctionGreaterEquals: ">=",
}

func (c *compiler) comparison(e *expr.Expr, call *expr.Expr_Call) (string, error) {
	operator, known := operators[call.GetFunction()]
	if (!known && call.GetFunction() != filtering.FunctionHas) || len(call.GetArgs()) != 2 {
		return "", c.fail(e, "%s is not a known comparison", call.GetFunction())
	}
	name := path(call.GetArgs()[0])
	field, ok := c.schema.lookup(name)
	if !ok {
		return "", c.unknownField(e, name)
	}
	text, ok := literal(call.GetArgs()[1])
	if !ok {
		return "", c.fail(e, "%s must be compared with a literal value", name)
	}
	if call.GetFunction() == filtering.FunctionHas {
		return c.has(e, field, text)
	}
	value, err := parse(field, text)
	if err != nil {
		return "", c.fail(e, "%s: %v", name, err)
	}
	bound := c.bind(field, value)
	if field.Equal == "" {
		return fmt.Sprintf("%s %s %s", field.Column, operator, bound), nil
	}
	switch call.GetFunction() {
	case filtering.FunctionEquals:
		return fmt.Sprintf("("+field.Equal+")", bound), nil
	case filtering.FunctionNotEquals:
		return fmt.Sprintf("("+field.Equal+") IS NOT TRUE", bound), nil
	default:
		return fmt.Sprintf("%s %s %s", field.Column, operator, bound), nil
	}
}

func (c *compiler) has(e *expr.Expr, field Field, text string) (string, error) {
	switch {
	case text == "*" && (field.Kind == Text || field.Kind == Enum):
		return field.Column + " <> ''", nil // text columns hold '' where nothing is known; NULL is not <> '' either
	case text == "*":
		return field.Column + " IS NOT NULL", nil
	}
	if field.Kind != Text {
		return "", c.fail(e, "%s can't be searched with ':'; use = or %s:*", field.Name, field.Name)
	}
	return fmt.Sprintf("strpos(lower(%s), lower(%s)) > 0", field.Column, c.bind(field, text)), nil
}

func (c *compiler) bind(field Field, value any) string {
	c.args = append(c.args, value)
	return fmt.Sprintf("$%d::%s", len(c.args), postgresTypes[field.Kind])
}

var postgresTypes = map[Kind]string{
	Text: "text", Enum: "text", Int: "bigint", Decimal: "numeric", Date: "date", Time: "timestamptz", Bool: "boolean",
}

func (c *compiler) unknownField(e *expr.Expr, name string) error {
	names := make([]string, len(c.schema))
	for i, f := range c.schema {
		names[i] = f.Name
	}
	if like := nearest(name, names); like != "" {
		return c.fail(e, "%q is not a field of this list; did you mean %q?", name, like)
	}
	return c.fail(e, "%q is not a field of this list; it has %s", name, strings.Join(names, ", "))
}

func (c *compiler) fail(e *expr.Expr, format string, args ...any) error {
	at := c.positions[e.GetId()] + 1
	return apperr.InvalidField("filter", "at character %d: %s", at, fmt.Sprintf(format, args...))
}
