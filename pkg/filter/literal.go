package filter

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/shopspring/decimal"
	expr "google.golang.org/genproto/googleapis/api/expr/v1alpha1"
)

// path reads `a.b.c`.
func path(e *expr.Expr) string {
	if sel := e.GetSelectExpr(); sel != nil {
		return path(sel.GetOperand()) + "." + sel.GetField()
	}
	return e.GetIdentExpr().GetName()
}

// literal returns the text of a constant; a bare word, or words joined by dots, is a text too.
func literal(e *expr.Expr) (string, bool) {
	switch c := e.GetConstExpr().GetConstantKind().(type) {
	case *expr.Constant_StringValue:
		return c.StringValue, true
	case *expr.Constant_Int64Value:
		return strconv.FormatInt(c.Int64Value, 10), true
	case *expr.Constant_DoubleValue:
		return strconv.FormatFloat(c.DoubleValue, 'f', -1, 64), true
	case *expr.Constant_BoolValue:
		return strconv.FormatBool(c.BoolValue), true
	}
	word := path(e)
	return word, strings.Trim(word, ".") != ""
}

// wildcard turns a text with `*` into a pattern of LIKE; `\*` is the character itself.
func wildcard(text string) (pattern string, ok bool) {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		switch b := text[i]; {
		case b == '\\' && i+1 < len(text) && text[i+1] == '*':
			i, ok = i+1, true
			out.WriteByte('*')
		case b == '*':
			ok = true
			out.WriteByte('%')
		case b == '%' || b == '_' || b == '\\':
			out.WriteByte('\\')
			out.WriteByte(b)
		default:
			out.WriteByte(b)
		}
	}
	return out.String(), ok
}

// parse reads a literal as the field's kind.
func parse(field *Field, text string) (any, error) {
	switch field.Kind {
	case Text:
		if strings.ContainsRune(text, 0) || !utf8.ValidString(text) {
			return nil, errors.New("must be UTF-8 without the character U+0000")
		}
		return text, nil
	case Enum:
		return parseEnum(field, text)
	case Int:
		return wrap(strconv.ParseInt(text, 10, 64))("a whole number", text)
	case Decimal:
		return parseDecimal(text)
	case Date:
		return wrap(time.Parse(time.DateOnly, text))(`a day such as "2026-01-31"`, text)
	case Time:
		return wrap(time.Parse(time.RFC3339, text))(`a time such as "2026-01-31T12:00:00Z"`, text)
	case Bool:
		return wrap(strconv.ParseBool(text))("true or false", text)
	default:
		return nil, fmt.Errorf("has an unknown kind %d", field.Kind)
	}
}

func parseEnum(field *Field, text string) (any, error) {
	value := strings.ToLower(text)
	if slices.Contains(field.Values, value) {
		return value, nil
	}
	if like := nearest(value, field.Values); like != "" {
		return nil, fmt.Errorf("%q is not a known value; did you mean %q?", text, like)
	}
	return nil, fmt.Errorf("%q is not one of %s", text, strings.Join(field.Values, ", "))
}

// parseDecimal refuses exponents: a short text must not become a number of a million digits.
func parseDecimal(text string) (any, error) {
	if strings.ContainsAny(text, "eE") || len(text) > 40 {
		return nil, fmt.Errorf("%q is not a plain number", text)
	}
	return wrap(decimal.NewFromString(text))("a number", text)
}

func wrap[T any](value T, err error) func(what, text string) (any, error) {
	return func(what, text string) (any, error) {
		if err != nil {
			return nil, fmt.Errorf("%q is not %s", text, what)
		}
		return value, nil
	}
}
