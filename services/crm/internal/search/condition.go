package search

import (
	"fmt"
	"slices"
	"strings"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/search/query"
	"tandem.bank/services/crm/internal/sight"
)

// condition is a part of a query in SQL: constant, or a text search of names alone, which the index answers as a whole, or
// any other expression over customer_search s.
type condition struct {
	never, always bool
	// names is a tsquery over s.words.
	names string
	sql   string
}

// conditions turns a query into conditions of one statement.
type conditions struct {
	terms map[*query.Term]*term
	args  []any
	// sight keeps from being found by what the caller does not see in full.
	sight *sight.Sight
	// unindexed keeps the index of words out of the conditions that follow: they only check rows found otherwise.
	unindexed bool
	// frequent are parts of the query that only check what the others lead to.
	frequent map[query.Node]bool
}

func (s *search) conditions() *conditions { return &conditions{terms: s.terms, sight: s.sight} }

func (c *conditions) bind(value any) string {
	c.args = append(c.args, value)
	return fmt.Sprintf("$%d", len(c.args))
}

// of says who matches a node at a level. What is left out with NOT is left out wherever it stands, also in texts, but only
// as it is written: a guess must hide nobody.
func (c *conditions) of(n query.Node, level crmv1.MatchLevel) condition {
	bound := len(c.args)
	out := c.node(n, level)
	if out.never || out.always {
		c.args = c.args[:bound] // Postgres refuses parameters that no part of the statement uses
	}
	return out
}

func (c *conditions) node(n query.Node, level crmv1.MatchLevel) condition {
	switch n := n.(type) {
	case *query.And:
		return c.join(n.Parts, level, " AND ", "&")
	case *query.Or:
		return c.join(n.Parts, level, " OR ", "|")
	case *query.Not:
		inner := c.of(n.Part, notLevel)
		if inner.never || inner.always {
			return condition{never: inner.always, always: inner.never}
		}
		return condition{sql: "NOT " + c.render(inner)}
	case *query.Term:
		return c.term(c.terms[n], level)
	}
	return condition{never: true}
}

// notLevel is the level of what is left out: exact in names, and texts.
const notLevel = crmv1.MatchLevel(-1)

func (c *conditions) join(nodes []query.Node, level crmv1.MatchLevel, sqlOperator, tsOperator string) condition {
	conjunction := tsOperator == "&"
	var names, parts []string
	for _, n := range nodes {
		switch part := c.of(n, level); {
		case part.never && conjunction, part.always && !conjunction:
			return part
		case part.never, part.always: // says nothing beside the others
		case part.names != "" && conjunction && c.frequent[n]:
			parts = append(parts, fmt.Sprintf(unindexedNames, c.bind(part.names)))
		case part.names != "":
			names = append(names, "("+part.names+")")
		default:
			parts = append(parts, part.sql)
		}
	}
	switch {
	case len(names)+len(parts) == 0:
		return condition{never: !conjunction, always: conjunction}
	case len(parts) == 0:
		return condition{names: strings.Join(names, tsOperator)}
	case len(names) > 0:
		parts = append(parts, c.render(condition{names: strings.Join(names, tsOperator)}))
	}
	return condition{sql: "(" + strings.Join(parts, sqlOperator) + ")"}
}

func (c *conditions) term(t *term, level crmv1.MatchLevel) condition {
	negated := level == notLevel
	if negated {
		level = levelExact
	}
	var ids []int64
	for _, f := range t.identifiers(level) {
		ids = append(ids, f.CustomerID)
	}
	names := ""
	if seen := marks(c.sight); level > levelIdentifier && len(seen) > 0 {
		names = t.tsquery(level, seen)
	}
	if len(ids) == 0 && !negated && level < levelText {
		return condition{never: names == "", names: names}
	}
	var ways []string
	if len(ids) > 0 {
		slices.Sort(ids)
		ways = append(ways, fmt.Sprintf("s.customer_id = ANY(%s::bigint[])", c.bind(slices.Compact(ids))))
	}
	if names != "" {
		ways = append(ways, c.render(condition{names: names}))
	}
	if negated || level == levelText {
		ways = append(ways, c.inTexts(t)...)
	}
	if len(ways) == 0 {
		return condition{never: true}
	}
	return condition{sql: "(" + strings.Join(ways, " OR ") + ")"}
}

// unindexedNames looks at the words of a row, and at no index.
const unindexedNames = "coalesce(s.words @@ %s::tsquery, false)"

func (c *conditions) render(part condition) string {
	switch {
	case part.never:
		return "false"
	case part.always:
		return "true"
	case part.names != "":
		format := "s.words @@ %s::tsquery"
		if c.unindexed {
			format = unindexedNames
		}
		return fmt.Sprintf(format, c.bind(part.names))
	}
	return part.sql
}
