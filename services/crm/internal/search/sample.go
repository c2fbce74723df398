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
	counts, err := s.countNames(ctx, wanted, level)
	if err != nil {
		return nil, false, err
	}
	parts, all = map[query.Node]bool{}, true
	for i, n := range wanted {
		parts[n] = counts[i] >= commonNames
		all = all && parts[n]
	}
	return parts, all, nil
}

// rarest are the parts of the query that few customers have in a name, an identifier or a text, the rarest first.
func (s *search) rarest(ctx context.Context, parts []query.Node) ([][]*query.Term, error) {
	type part struct {
		wanted []*query.Term
		share  float64
	}
	var asked []query.Node
	var found []part
	c := s.conditions()
	var texts []string
	for _, n := range parts {
		wanted := query.Wanted(n)
		if len(wanted) == 0 || !query.Positive(n) {
			continue
		}
		anyOf, terms := &query.Or{}, []*term{}
		for _, t := range wanted {
			anyOf.Parts, terms = append(anyOf.Parts, t), append(terms, s.terms[t])
		}
		asked, found = append(asked, anyOf), append(found, part{wanted: wanted})
		texts = append(texts, "i.words @@ ("+c.anyText(terms)+")")
	}
	if len(found) == 0 {
		return nil, nil
	}
	inNames, err := s.countNames(ctx, asked, levelSimilar)
	if err != nil {
		return nil, err
	}
	inTexts, err := s.count(ctx, c, texts,
		"(SELECT words FROM interaction WHERE interaction_id > 0 ORDER BY interaction_id DESC LIMIT %d) i", sampleTexts)
	if err != nil {
		return nil, err
	}
	for i := range found {
		if found[i].share = float64(inNames[i])/sampleNames + float64(inTexts[i])/sampleTexts; inNames[i] >= commonNames || inTexts[i] >= commonTexts {
			found[i].wanted = nil
		}
	}
	found = slices.DeleteFunc(found, func(p part) bool { return p.wanted == nil })
	slices.SortStableFunc(found, func(a, b part) int { return cmp.Compare(a.share, b.share) })
	out := make([][]*query.Term, len(found))
	for i, p := range found {
		out[i] = p.wanted
	}
	return out, nil
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
