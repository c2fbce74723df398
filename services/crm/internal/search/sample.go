package search

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/search/query"
)

// What is common shows in a few rows: of words in names, and of words in texts, so many of a sample are enough. Then the
// index of words would gather half the bank, and a walk through the customers finds a page of them soon.
const (
	sampleNames, commonNames = 1000, 4
	sampleTexts, commonTexts = 500, 10
)

// common says which parts of a conjunction many customers have by their names; all says that none is rare.
func (s *search) common(ctx context.Context, level crmv1.MatchLevel) (parts map[query.Node]bool, all bool, err error) {
	and, ok := s.root.(*query.And)
	if !ok || level <= levelIdentifier {
		return nil, false, nil
	}
	wanted := slices.DeleteFunc(slices.Clone(and.Parts), func(n query.Node) bool { return !query.Positive(n) })
	if len(wanted) < 2 {
		return nil, false, nil
	}
	parts, all = map[query.Node]bool{}, true
	if s.numbers { // what goes with a number only checks whom the number leads to
		for _, n := range wanted {
			parts[n] = !isNumbers(n)
		}
		return parts, false, nil
	}
	counts, err := s.countNames(ctx, wanted, level)
	if err != nil {
		return nil, false, err
	}
	for i, n := range wanted {
		parts[n] = counts[i] >= commonNames
		all = all && parts[n]
	}
	return parts, all, nil
}

// rarest are the parts of the query that few customers have in a name, an identifier or a text, the rarest first.
func (s *search) rarest(ctx context.Context, parts []query.Node) ([][]*query.Term, error) {
	var asked []query.Node
	var wanted [][]*query.Term
	for _, n := range parts {
		terms := query.Wanted(n)
		if len(terms) == 0 || !query.Positive(n) {
			continue
		}
		anyOf := &query.Or{}
		for _, t := range terms {
			anyOf.Parts = append(anyOf.Parts, t)
		}
		asked, wanted = append(asked, anyOf), append(wanted, terms)
	}
	if len(wanted) == 0 {
		return nil, nil
	}
	if s.numbers {
		only := func(terms []*query.Term) bool {
			return !slices.ContainsFunc(terms, func(t *query.Term) bool { return !isNumber(t) })
		}
		return slices.DeleteFunc(wanted, func(terms []*query.Term) bool { return !only(terms) }), nil
	}
	shares, common, err := s.shares(ctx, asked, wanted)
	if err != nil {
		return nil, err
	}
	var order []int
	for i := range wanted {
		if !common[i] {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(shares[a], shares[b]) })
	out := make([][]*query.Term, len(order))
	for i, n := range order {
		out[i] = wanted[n]
	}
	return out, nil
}

// isNumbers says whether whoever matches a node has one of the numbers or addresses in it.
func isNumbers(n query.Node) bool {
	switch n := n.(type) {
	case *query.Term:
		return isNumber(n)
	case *query.And:
		return slices.ContainsFunc(n.Parts, isNumbers)
	case *query.Or:
		return !slices.ContainsFunc(n.Parts, func(part query.Node) bool { return !isNumbers(part) })
	}
	return false
}

// shares estimates how many customers and texts have any of the wanted terms of each node, and says which have many.
func (s *search) shares(ctx context.Context, nodes []query.Node, wanted [][]*query.Term) (shares []float64, common []bool, err error) {
	shares, common = make([]float64, len(nodes)), make([]bool, len(nodes))
	add := func(counts []int64, rows, many int64) {
		for i, count := range counts {
			shares[i] += float64(count) / float64(rows)
			common[i] = common[i] || count >= many
		}
	}
	inNames, err := s.countNames(ctx, nodes, levelSimilar)
	if err != nil {
		return nil, nil, err
	}
	add(inNames, sampleNames, commonNames)
	for _, from := range sources(s.sight) {
		c := s.conditions()
		texts := make([]string, len(wanted))
		for i, terms := range wanted {
			of := make([]*term, len(terms))
			for j, t := range terms {
				of[j] = s.terms[t]
			}
			texts[i] = "t.words @@ (" + c.anyText(of) + ")"
		}
		sample := fmt.Sprintf("(SELECT words FROM %[1]s WHERE %[2]s > 0 ORDER BY %[2]s DESC LIMIT %%d) t", from.table, from.id)
		inTexts, err := s.count(ctx, c, texts, sample, sampleTexts)
		if err != nil {
			return nil, nil, err
		}
		add(inTexts, sampleTexts, commonTexts)
	}
	return shares, common, nil
}

// countNames counts in the sample who matches each node at a level.
func (s *search) countNames(ctx context.Context, nodes []query.Node, level crmv1.MatchLevel) ([]int64, error) {
	c := s.conditions()
	c.unindexed = true
	conditions := make([]string, len(nodes))
	for i, n := range nodes {
		conditions[i] = c.render(c.of(n, level))
	}
	return s.count(ctx, c, conditions,
		"(SELECT customer_id, words FROM customer_search WHERE customer_id > 0 ORDER BY customer_id LIMIT %d) s", sampleNames)
}

func (s *search) count(ctx context.Context, c *conditions, of []string, sample string, rows int) ([]int64, error) {
	counts := make([]string, len(of))
	for i, condition := range of {
		counts[i] = "count(*) FILTER (WHERE " + condition + ")"
	}
	sql := fmt.Sprintf("SELECT ARRAY[%s] FROM "+sample, strings.Join(counts, ", "), rows)
	found, err := collect[[]int64](ctx, s.tx, sql, c.args)
	if err != nil {
		return nil, err
	}
	return found[0], nil
}
