package filter

import (
	"strings"

	"go.einride.tech/aip/filtering"
	expr "google.golang.org/genproto/googleapis/api/expr/v1alpha1"
)

// Operator joins clauses.
type Operator string

// Operators.
const (
	// Leaf is a clause without parts: a comparison or a function.
	Leaf Operator = ""
	// And is true when all its parts are.
	And Operator = "AND"
	// Or is true when some of its parts are.
	Or Operator = "OR"
	// Not is true when its one part is not.
	Not Operator = "NOT"
)

// Clause is a filter as a tree, to be explained part by part.
type Clause struct {
	// Operator over Parts; Leaf for a comparison or a function.
	Operator Operator
	// Parts in the order of the filter; a Leaf has none, Not has one. What one operator joins stands in one clause.
	Parts []*Clause
	// Text of a Leaf as the caller wrote it.
	Text string
	// Function is the name of the function of a Leaf that is one of the list's; empty in comparisons.
	Function string
	// Field is the name of the field that a Leaf asks for; empty when it asks for none.
	Field string
	// Value is what a Leaf compares with or asks for: the value of a comparison, the text or the percentage of a function.
	Value string
	// Condition of the clause by itself. It is never NULL, so that parents can be computed from their parts.
	Condition string
}

// Clauses compiles a filter into the tree of its clauses; an empty filter is And without parts. Errors are those of Condition.
func (s *Statement) Clauses(text string, schema Schema) (*Clause, error) {
	if strings.TrimSpace(text) == "" {
		return &Clause{Operator: And, Condition: "true"}, nil
	}
	parsed, err := parseFilter(text)
	if err != nil {
		return nil, err
	}
	root, err := compile(text, schema, s.to, s.functions)
	if err != nil {
		return nil, err
	}
	return root.clause(parsed), nil
}

// Holds computes a clause from what its leaves gave.
func (c *Clause) Holds(leaves map[*Clause]bool) bool {
	switch c.Operator {
	case And:
		for _, part := range c.Parts {
			if !part.Holds(leaves) {
				return false
			}
		}
		return true
	case Or:
		for _, part := range c.Parts {
			if part.Holds(leaves) {
				return true
			}
		}
		return false
	case Not:
		return !c.Parts[0].Holds(leaves)
	default:
		return leaves[c]
	}
}

// Leaves are the clauses without parts, in the order of the filter.
func (c *Clause) Leaves() []*Clause {
	if c.Operator == Leaf {
		return []*Clause{c}
	}
	var out []*Clause
	for _, part := range c.Parts {
		out = append(out, part.Leaves()...)
	}
	return out
}

func (n *node) clause(s *source) *Clause {
	out := &Clause{Operator: Operator(n.operator), Condition: n.sql}
	if !n.known {
		out.Condition = "ifNull(" + n.sql + ", false)"
	}
	if out.Operator == Leaf {
		out.Text, out.Function, out.Field, out.Value = s.leaf(n.at), n.call, n.field, n.value
		return out
	}
	for _, part := range n.parts {
		child := part.clause(s)
		// The parser joins two at a time.
		if child.Operator == out.Operator && out.Operator != Not {
			out.Parts = append(out.Parts, child.Parts...)
			continue
		}
		out.Parts = append(out.Parts, child)
	}
	return out
}

// Texts returns the texts that a filter gives to a function of that name, in its order, each once: what it refers to. Of a text
// that is no filter none.
func Texts(text, function string) []string {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	parsed, err := parseFilter(text)
	if err != nil {
		return nil
	}
	var out []string
	walkCalls(parsed.expr, func(call *expr.Expr_Call) {
		if call.GetFunction() != function {
			return
		}
		for _, arg := range call.GetArgs() {
			if value, ok := literal(arg); ok {
				out = append(out, value)
			}
		}
	})
	return unique(out)
}

func unique(names []string) []string {
	seen := map[string]bool{}
	var out []string
	for _, name := range names {
		if !seen[name] {
			seen[name] = true
			out = append(out, name)
		}
	}
	return out
}

// walkCalls calls visit for each operator and function; what is compared is no condition, and is not visited.
func walkCalls(e *expr.Expr, visit func(*expr.Expr_Call)) {
	call := e.GetCallExpr()
	if call == nil {
		return
	}
	visit(call)
	if operators[call.GetFunction()] != "" && call.GetFunction() != filtering.FunctionHas {
		return
	}
	for _, arg := range call.GetArgs() {
		walkCalls(arg, visit)
	}
}
