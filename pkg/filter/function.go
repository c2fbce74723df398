package filter

import (
	"errors"
	"fmt"
	"strings"

	"github.com/shopspring/decimal"
	expr "google.golang.org/genproto/googleapis/api/expr/v1alpha1"

	"tandem.bank/pkg/apperr"
)

// Names of the functions that every list has.
const (
	functionIn      = "in"
	functionBetween = "between"
)

// Function is a test that a list offers beyond comparisons: callers write it as name(arguments) wherever a comparison can stand.
type Function struct {
	// Name as callers write it, in lower case.
	Name string
	// Takes says what its arguments are, in order; each kind comes once at most.
	Takes []Argument
	// Usage shows how it is written, for example `top(clv, 10%)`.
	Usage string
	// Compile returns the condition, which counts as false where it is NULL. An error tells what is wrong with the arguments,
	// and is shown with their place; an *apperr.Error is returned as it is.
	Compile func(Call) (condition string, err error)
}

// Argument is what an argument of a function is.
type Argument int

// Kinds of arguments.
const (
	// ArgumentField is the name of a field of the list.
	ArgumentField Argument = iota
	// ArgumentText is a text.
	ArgumentText
	// ArgumentPercent is a share above 0 % and below 100 %, written with the sign: 10%.
	ArgumentPercent
)

// Call is one use of a function.
type Call struct {
	// Name of the function.
	Name string
	// Field is the argument of the kind ArgumentField.
	Field *Field
	// Text is the argument of the kind ArgumentText.
	Text string
	// Percent is the argument of the kind ArgumentPercent: 10 in 10%.
	Percent decimal.Decimal
	// Bind keeps a value of a kind and returns SQL that stands for it. Values are string, int64, decimal.Decimal, bool or time.Time.
	Bind func(kind Kind, value any) string
}

// call compiles a function, one of every list or one of this one.
func (c *compiler) call(e *expr.Expr, call *expr.Expr_Call) (*node, error) {
	name := call.GetFunction()
	switch name {
	case functionIn:
		return c.in(e, call.GetArgs())
	case functionBetween:
		return c.between(e, call.GetArgs())
	}
	if c.group != nil {
		return nil, c.fail(e, "%s is about the whole record: it can't stand inside %s:(…)", name, c.group.Name)
	}
	for i := range c.functions {
		if c.functions[i].Name == name {
			return c.custom(e, &c.functions[i], call.GetArgs())
		}
	}
	return nil, c.fail(e, "%s", c.unknownFunction(name))
}

func (c *compiler) unknownFunction(name string) string {
	names := []string{functionIn, functionBetween}
	for _, f := range c.functions {
		names = append(names, f.Name)
	}
	if like := nearest(name, names); like != "" {
		return fmt.Sprintf("%q is not a function of this list; did you mean %q?", name, like)
	}
	return fmt.Sprintf("%q is not a function of this list; it has %s", name, strings.Join(names, ", "))
}

// custom compiles a function of this list.
func (c *compiler) custom(e *expr.Expr, f *Function, args []*expr.Expr) (*node, error) {
	if len(args) != len(f.Takes) {
		return nil, c.fail(e, "%s takes %d arguments: write %s", f.Name, len(f.Takes), f.Usage)
	}
	call := Call{Name: f.Name, Bind: c.to.bind}
	about := node{call: f.Name}
	for i, arg := range args {
		if err := c.argument(&call, f, f.Takes[i], arg); err != nil {
			return nil, err
		}
	}
	if call.Field != nil {
		about.field = call.Field.Name
	}
	about.value = call.Text
	if !call.Percent.IsZero() {
		about.value = call.Percent.String() + "%"
	}
	sql, err := f.Compile(call)
	var known *apperr.Error
	switch {
	case errors.As(err, &known):
		return nil, err
	case err != nil:
		return nil, c.fail(args[len(args)-1], "%s: %v", f.Name, err)
	}
	return c.leaf(e, condition{sql, false}, about, nil)
}

// argument reads one argument into a call.
func (c *compiler) argument(call *Call, f *Function, kind Argument, e *expr.Expr) (err error) {
	switch kind {
	case ArgumentField:
		if e.GetConstExpr() != nil || e.GetCallExpr() != nil {
			return c.fail(e, "a field is missing: write %s", f.Usage)
		}
		call.Field, err = c.lookup(e)
	case ArgumentText:
		text, ok := literal(e)
		if !ok || text == "" || e.GetConstExpr() != nil && e.GetConstExpr().GetStringValue() == "" {
			return c.fail(e, "a text is missing: write %s", f.Usage)
		}
		call.Text = text
	case ArgumentPercent:
		call.Percent, err = c.percent(f, e)
	}
	return err
}

var hundred = decimal.NewFromInt(100)

// percent reads a share such as 10%.
func (c *compiler) percent(f *Function, e *expr.Expr) (decimal.Decimal, error) {
	text, ok := literal(e)
	at := c.source.percent(c.source.positions[e.GetId()])
	if e.GetConstExpr() == nil || !ok || at < 0 {
		return decimal.Decimal{}, c.fail(e, "a percentage is missing: write %s", f.Usage)
	}
	c.percents[at] = true
	share, err := decimal.NewFromString(text)
	if err != nil || !share.IsPositive() || share.GreaterThanOrEqual(hundred) {
		return decimal.Decimal{}, c.fail(e, "a percentage must be above 0 %% and below 100 %%")
	}
	return share, nil
}

// in is a comparison with some values: in(field, value, value).
func (c *compiler) in(e *expr.Expr, args []*expr.Expr) (*node, error) {
	if len(args) < 2 {
		return nil, c.fail(e, "write in(field, value, value)")
	}
	field, err := c.lookup(args[0])
	if err != nil {
		return nil, err
	}
	operator := "="
	if field.Repeated != Single {
		operator = ":"
	}
	var parts []string
	for _, arg := range args[1:] {
		part, err := c.compareTo(field, operator, arg)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	return c.ranged(e, field, "("+strings.Join(parts, " OR ")+")")
}

// between is a comparison with two limits that both belong to it: between(field, lowest, highest).
func (c *compiler) between(e *expr.Expr, args []*expr.Expr) (*node, error) {
	if len(args) != 3 {
		return nil, c.fail(e, "write between(field, lowest, highest)")
	}
	field, err := c.lookup(args[0])
	if err != nil {
		return nil, err
	}
	low, err := c.compareTo(field, ">=", args[1])
	if err != nil {
		return nil, err
	}
	high, err := c.compareTo(field, "<=", args[2])
	if err != nil {
		return nil, err
	}
	return c.ranged(e, field, "("+low+" AND "+high+")")
}

// compareTo compares a field with an argument.
func (c *compiler) compareTo(field *Field, operator string, e *expr.Expr) (string, error) {
	text, ok := literal(e)
	if !ok {
		return "", c.fail(e, "%s must be compared with a literal value", field.Name)
	}
	out, err := c.comparison(field, operator, text)
	if err != nil {
		return "", c.fail(e, "%s: %v", field.Name, err)
	}
	return out.sql, nil
}

// ranged completes a condition on one field: on a field of related records it is about one of them.
func (c *compiler) ranged(e *expr.Expr, field *Field, sql string) (*node, error) {
	out := condition{sql, field.Required}
	if field.Related != nil && c.group == nil {
		out = condition{c.to.exists(field.Related, sql), true}
	}
	return c.leaf(e, out, node{field: field.Name}, nil)
}
