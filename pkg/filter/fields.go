package filter

import (
	"strings"

	"go.einride.tech/aip/filtering"
	expr "google.golang.org/genproto/googleapis/api/expr/v1alpha1"
)

// Fields returns the names of the fields that a filter compares, in its order; of a text that is no filter none, because it
// will be refused. Callers who may not see a field must not filter by it either: comparing often enough tells its value.
func Fields(text string) []string {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	parsed, err := parseFilter(text)
	if err != nil {
		return nil
	}
	return fields(parsed.expr, nil)
}

func fields(e *expr.Expr, found []string) []string {
	call := e.GetCallExpr()
	switch {
	case call == nil:
		if name := strings.Trim(path(e), "."); name != "" {
			found = append(found, name)
		}
	case call.GetFunction() == filtering.FunctionHas && len(call.GetArgs()) == 2 && call.GetArgs()[1].GetCallExpr() != nil:
		// Inside `group:(…)` stand names of the group's fields; the group itself is asked for, too.
		group := strings.Trim(path(call.GetArgs()[0]), ".")
		found = append(found, group)
		for _, inner := range fields(call.GetArgs()[1], nil) {
			found = append(found, group+"."+inner)
		}
	case !isJunction(call.GetFunction()) && len(call.GetArgs()) > 0:
		// What follows is a value, even where it is a bare word; so it is in functions.
		found = fields(call.GetArgs()[0], found)
	default:
		for _, arg := range call.GetArgs() {
			found = fields(arg, found)
		}
	}
	return found
}

func isJunction(function string) bool {
	switch function {
	case filtering.FunctionAnd, filtering.FunctionOr, filtering.FunctionNot, filtering.FunctionFuzzyAnd:
		return true
	}
	return false
}

// OrderFields returns the names of the fields in an order such as "name desc, customer_id".
func OrderFields(text string) []string {
	var found []string
	for part := range strings.SplitSeq(text, ",") {
		if words := strings.Fields(part); len(words) > 0 {
			found = append(found, words[0])
		}
	}
	return found
}
