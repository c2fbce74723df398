package filter

import (
	"strings"

	"go.einride.tech/aip/filtering"
	expr "google.golang.org/genproto/googleapis/api/expr/v1alpha1"
)

// Fields returns the names of the fields that a filter compares, in its order; of a text that is no filter none, because it
// will be refused. Callers who may not see a field must not filter by it either: comparing often enough tells its value.
func Fields(text string) []string {
	if strings.TrimSpace(text) == "" || nesting(text) > depthMax {
		return nil
	}
	var parser filtering.Parser
	parser.Init(text)
	parsed, err := parser.Parse()
	if err != nil {
		return nil
	}
	return fields(parsed.GetExpr(), nil)
}

func fields(e *expr.Expr, found []string) []string {
	call := e.GetCallExpr()
	switch {
	case call == nil:
		if name := strings.Trim(path(e), "."); name != "" {
			found = append(found, name)
		}
	case isComparison(call.GetFunction()) && len(call.GetArgs()) > 0:
		// The other side is a value, even where it is a bare word.
		found = fields(call.GetArgs()[0], found)
	default:
		for _, arg := range call.GetArgs() {
			found = fields(arg, found)
		}
	}
	return found
}

func isComparison(function string) bool {
	_, known := operators[function]
	return known || function == filtering.FunctionHas
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
