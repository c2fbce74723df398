package filter

import (
	"errors"
	"fmt"
	"strings"

	"go.einride.tech/aip/filtering"
	expr "google.golang.org/genproto/googleapis/api/expr/v1alpha1"

	"tandem.bank/pkg/apperr"
)

// violationsMax is about how many wrong parts of a filter an error tells.
const violationsMax = 10

// condition is a part of a filter in SQL.
type condition struct {
	sql string
	// known says that it is never NULL.
	known bool
}

// compile turns a filter into the tree of its clauses, in SQL of a dialect. Errors are INVALID_ARGUMENT on the field "filter".
func compile(text string, schema Schema, to dialect, functions []Function) (*node, error) {
	parsed, err := parseFilter(text)
	if err != nil {
		return nil, err
	}
	c := &compiler{source: parsed, schema: schema, to: to, functions: functions, percents: map[int]bool{}}
	out, err := c.node(parsed.expr, 0)
	if err != nil {
		return nil, err
	}
	if at := parsed.stray(c.percents); at >= 0 {
		return nil, parsed.at(at, "a percentage stands in functions only, as in top(field, 10%)")
	}
	return out, nil
}

type compiler struct {
	source    *source
	schema    Schema
	to        dialect
	functions []Function
	// percents are the places of percent signs that were asked for.
	percents map[int]bool
	// group is set inside `group:(…)`: names are those of its fields, and all conditions are about one record of it.
	group *Related
}

// node is a filter, or a part of one, in SQL: a leaf, or AND, OR or NOT over others.
type node struct {
	condition

	// operator joins parts; empty in a leaf.
	operator string
	parts    []*node
	// call, field and value are those of a leaf.
	at    int32
	call  string
	field string
	value string
}

// node compiles an expression.
func (c *compiler) node(e *expr.Expr, depth int) (*node, error) {
	call := e.GetCallExpr()
	if call == nil {
		return nil, c.fail(e, "a comparison is missing: write field = value")
	}
	if depth > 10*depthMax {
		return nil, c.fail(e, "has too many terms")
	}
	args := call.GetArgs()
	switch {
	case isOne(call, filtering.FunctionAnd, 2), isOne(call, filtering.FunctionOr, 2):
		return c.junction(call, depth)
	case isOne(call, filtering.FunctionNot, 1):
		inner, err := c.node(args[0], depth+1)
		if err != nil {
			return nil, err
		}
		return &node{condition: c.negated(inner.condition), operator: filtering.FunctionNot, parts: []*node{inner}}, nil
	case call.GetFunction() == filtering.FunctionFuzzyAnd:
		return nil, c.fail(e, "join terms with AND or OR")
	case operators[call.GetFunction()] != "":
		return c.restriction(e, call, depth)
	default:
		return c.call(e, call)
	}
}

// isOne tells an operator from a function that somebody called by its name, with as many arguments as they liked.
func isOne(call *expr.Expr_Call, function string, args int) bool {
	return call.GetFunction() == function && len(call.GetArgs()) == args
}

// negated is NOT: a comparison with an unknown value is not true, so its negation is. What isn't known to match is excluded by
// NOT only when it matches.
func (c *compiler) negated(inner condition) condition {
	if inner.known {
		return condition{"NOT (" + inner.sql + ")", true}
	}
	return condition{c.to.untrue(inner.sql), true}
}

func (c *compiler) junction(call *expr.Expr_Call, depth int) (*node, error) {
	left, err := c.node(call.GetArgs()[0], depth+1)
	if len(violations(err)) >= violationsMax {
		return nil, err
	}
	right, more := c.node(call.GetArgs()[1], depth+1)
	if err := both(err, more); err != nil {
		return nil, err
	}
	return &node{
		condition: condition{"(" + left.sql + " " + call.GetFunction() + " " + right.sql + ")", left.known && right.known},
		operator:  call.GetFunction(), parts: []*node{left, right},
	}, nil
}

// both joins what is wrong with two parts of a filter: a caller is told at once of all that is to be mended.
func both(err, more error) error {
	if all := append(violations(err), violations(more)...); len(all) > 0 {
		return apperr.Invalid(all...)
	}
	return errors.Join(err, more)
}

func violations(err error) []apperr.Violation {
	if wrong, ok := errors.AsType[*apperr.Error](err); ok {
		return wrong.Violations
	}
	return nil
}

var operators = map[string]string{
	filtering.FunctionEquals: "=", filtering.FunctionNotEquals: "!=",
	filtering.FunctionLessThan: "<", filtering.FunctionLessEquals: "<=",
	filtering.FunctionGreaterThan: ">", filtering.FunctionGreaterEquals: ">=", filtering.FunctionHas: ":",
}

// restriction is one comparison, or conditions on one related record.
func (c *compiler) restriction(e *expr.Expr, call *expr.Expr_Call, depth int) (*node, error) {
	operator := operators[call.GetFunction()]
	if len(call.GetArgs()) != 2 {
		return nil, c.fail(e, "%s is not a known comparison", call.GetFunction())
	}
	left, value := call.GetArgs()[0], call.GetArgs()[1]
	if left.GetCallExpr() != nil {
		return nil, c.fail(e, "a function is true or false by itself: it is not compared")
	}
	name := path(left)
	if c.group == nil && operator == ":" {
		if group := c.schema.group(name); group != nil {
			out, err := c.related(e, group, value, depth)
			return c.leaf(e, out, node{field: name}, err)
		}
	}
	field, err := c.lookup(left)
	if err != nil {
		return nil, err
	}
	text, ok := literal(value)
	if !ok {
		return nil, c.fail(e, "%s must be compared with a literal value", name)
	}
	compare := c.comparison
	if field.Related != nil && c.group == nil {
		compare = c.ofRelated
	}
	out, err := compare(field, operator, text)
	if err != nil {
		return nil, c.fail(e, "%s: %v", name, err)
	}
	return c.leaf(e, out, node{field: field.Name, value: text}, nil)
}

// leaf completes a leaf.
func (c *compiler) leaf(e *expr.Expr, out condition, about node, err error) (*node, error) {
	if err != nil {
		return nil, err
	}
	about.condition, about.at = out, c.source.positions[e.GetId()]
	return &about, nil
}

// lookup finds the field that an expression names.
func (c *compiler) lookup(e *expr.Expr) (*Field, error) {
	name := path(e)
	if c.group != nil {
		name = c.group.Name + "." + name
	}
	if field := c.schema.lookup(name); field != nil {
		return field, nil
	}
	return nil, c.fail(e, "%s", c.schema.unknown(name))
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

// related is `group:*`, `group:(conditions on one record)` or, in some groups, `group:value`.
func (c *compiler) related(e *expr.Expr, group *Related, value *expr.Expr, depth int) (condition, error) {
	text, ok := literal(value)
	if ok && text == "*" {
		return condition{c.to.exists(group, ""), true}, nil
	}
	if ok && group.Value != "" {
		out, err := c.ofRelated(c.schema.lookup(group.Name+"."+group.Value), "=", text)
		if err != nil {
			return condition{}, c.fail(e, "%s: %v", group.Name, err)
		}
		return out, nil
	}
	if value.GetCallExpr() == nil {
		return condition{}, c.fail(e, "write %[1]s:* or %[1]s:(field = value AND …)", group.Name)
	}
	c.group = group
	inner, err := c.node(value, depth+1)
	c.group = nil
	if err != nil {
		return condition{}, err
	}
	return condition{c.to.exists(group, inner.sql), true}, nil
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
	return c.source.at(int(c.source.positions[e.GetId()]), fmt.Sprintf(format, args...))
}
