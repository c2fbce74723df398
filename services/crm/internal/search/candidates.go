package search

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/search/query"
)

// candidatesMax divides the rare from the common. Up to so many customers are fetched by the index of words and sorted;
// what more of them have is so common that a walk through the customers by number fills a page soon. Either way some
// thousand rows are read, and not all. Postgres can't choose: it keeps no statistics of rare words.
const candidatesMax = 3000

// level finds customers who match at a level and at none before it, by customer number.
func (s *search) level(ctx context.Context, level crmv1.MatchLevel, lastID int64, limit int) ([]int64, error) {
	if level == levelText {
		return s.textLevel(ctx, lastID, limit)
	}
	c := s.conditions()
	this := c.of(s.root, level)
	if this.never {
		return nil, nil
	}
	if level > levelIdentifier && s.same(level-1, level) {
		return nil, nil
	}
	scarce, err := s.scarce(ctx, level)
	if err != nil {
		return nil, err
	}
	if !scarce {
		// What is common fills a page from the first customers, before any index is asked.
		ids, err := s.find(ctx, level, true, probe, lastID, limit)
		if err != nil || len(ids) >= limit {
			return ids, err
		}
	}
	common, all, err := s.common(ctx, level)
	if err != nil {
		return nil, err
	}
	switch s.frequent = common; {
	case all && level >= levelPrefix: // beginnings of common words are half of the index
		return s.walk(ctx, level, lastID, limit)
	case all:
		s.frequent = nil
	}
	// The sum keeps the index of numbers out of it: only that of words leads to few rows.
	ids, err := s.find(ctx, level, false, "s.customer_id + 0 > %s::bigint", lastID, candidatesMax)
	if err != nil {
		return nil, err
	}
	if len(ids) < candidatesMax {
		slices.Sort(ids)
		return ids[:min(limit, len(ids))], nil
	}
	return s.walk(ctx, level, lastID, limit)
}

// scarce says whether few can match at a level: numbers and addresses, and words that nobody among the first customers has,
// not even as a beginning. That is asked once for the levels up to there; what a word may be a slip of can still be common.
func (s *search) scarce(ctx context.Context, level crmv1.MatchLevel) (bool, error) {
	if s.numbers || level <= levelIdentifier {
		return true, nil
	}
	if level > levelPrefix {
		return false, nil
	}
	if s.rare == nil {
		c := s.conditions()
		c.unindexed = true
		first, begins := fmt.Sprintf(probe, c.bind(0)), c.render(c.of(s.root, levelPrefix))
		sql := fmt.Sprintf("SELECT NOT EXISTS (SELECT FROM customer_search s WHERE %s AND %s)", first, begins)
		none, err := collect[bool](ctx, s.tx, sql, c.args)
		if err != nil {
			return false, err
		}
		s.rare = &none[0]
	}
	return *s.rare, nil
}

// same says whether two levels ask the same.
func (s *search) same(a, b crmv1.MatchLevel) bool {
	one, other := s.conditions(), s.conditions()
	return one.of(s.root, a) == other.of(s.root, b) && reflect.DeepEqual(one.args, other.args)
}

// probe selects the next customers by number, as many as can be looked at for the price of one look into the index of words.
const probe = `s.customer_id > %[1]s::bigint AND s.customer_id <= (SELECT max(customer_id) FROM (
    SELECT customer_id FROM customer_search WHERE customer_id > %[1]s::bigint ORDER BY customer_id LIMIT 2000
) w)`

const (
	// windowRows is how many customers one step of a walk looks at.
	windowRows = 10_000
	// walkRowsMax is how many one call looks at. Words that are common each and rare together, or whose bearers all came
	// late, would otherwise send a call past everybody; so the page ends early and its token goes on from there.
	walkRowsMax = 2 * windowRows
	// textPrice is how many names can be looked at for the price of one customer's texts.
	textPrice = 8
)

// walk looks at customers by number until there are enough hits, no more customers, or the call has looked at its share.
func (s *search) walk(ctx context.Context, level crmv1.MatchLevel, lastID int64, limit int) ([]int64, error) {
	var hits []int64
	window := windowRows
	if level == levelText {
		window /= textPrice
	}
	for {
		ends, err := collect[[]int64](ctx, s.tx, `SELECT ARRAY[coalesce(max(customer_id), 0), count(*)] FROM (
    SELECT customer_id FROM customer_search WHERE customer_id > $1::bigint ORDER BY customer_id LIMIT $2::int
) w`, []any{lastID, window})
		if err != nil {
			return nil, err
		}
		end, rows := ends[0][0], ends[0][1]
		if rows == 0 {
			return hits, nil
		}
		const within = "s.customer_id BETWEEN (%[1]s::bigint[])[1] AND (%[1]s::bigint[])[2]"
		ids, err := s.find(ctx, level, true, within, []int64{lastID + 1, end}, limit-len(hits))
		if err != nil {
			return nil, err
		}
		hits, lastID = append(hits, ids...), end
		if len(hits) >= limit || rows < int64(window) {
			return hits, nil
		}
		if s.walked += windowRows; s.walked >= walkRowsMax {
			s.stopped = &position{level, lastID}
			return hits, nil
		}
	}
}

// find reads customers at a level whom a further condition, on %s, admits. A walk goes by customer number and looks at the
// words of each; otherwise the index of words gives the customers in any order.
func (s *search) find(ctx context.Context, level crmv1.MatchLevel, walk bool, scope string, value any, limit int) ([]int64, error) {
	c := s.conditions()
	if c.unindexed = walk; !walk {
		c.frequent = s.frequent
	}
	where := fmt.Sprintf(scope, c.bind(value)) + " AND " + c.render(c.of(s.root, level))
	if level > levelIdentifier {
		c.unindexed = true
		if before := c.of(s.root, level-1); !before.never {
			where += " AND NOT " + c.render(before)
		}
	}
	order := ""
	if walk {
		order = " ORDER BY s.customer_id"
	}
	if walk && (s.filter != "" || !s.sight.AllRows()) {
		order += " + 0" // or the join would follow the order through all customers
	}
	from, err := s.filtered(ctx, c, where)
	if err != nil {
		return nil, err
	}
	sql := fmt.Sprintf("SELECT s.customer_id FROM %s%s LIMIT %s::int", from, order, c.bind(limit))
	return collect[int64](ctx, s.tx, sql, c.args)
}

// textLevel finds customers by texts as well. All must have one part of a conjunction; the rarest part gives those to look at.
func (s *search) textLevel(ctx context.Context, lastID int64, limit int) ([]int64, error) {
	parts := []query.Node{s.root}
	if and, ok := s.root.(*query.And); ok {
		parts = and.Parts
	}
	few, err := s.rarest(ctx, parts)
	if err != nil {
		return nil, err
	}
	var rarest []int64
	known := false
	for _, wanted := range few {
		if rarest, known, err = s.candidates(ctx, wanted); err != nil {
			return nil, err
		}
		if known {
			break
		}
	}
	if !known {
		return s.walk(ctx, levelText, lastID, limit)
	}
	rarest = slices.DeleteFunc(rarest, func(id int64) bool { return id <= lastID })
	if len(rarest) == 0 {
		return nil, nil
	}
	return s.find(ctx, levelText, true, "s.customer_id = ANY(%s::bigint[])", rarest, limit)
}

// candidates are the customers who have any of the terms in a name, an identifier or a text, unless they are too many.
func (s *search) candidates(ctx context.Context, wanted []*query.Term) (ids []int64, all bool, err error) {
	c := s.conditions()
	parts, terms := make([]query.Node, len(wanted)), make([]*term, len(wanted))
	for i, t := range wanted {
		parts[i], terms[i] = t, s.terms[t]
	}
	sql := "SELECT s.customer_id FROM customer_search s WHERE " + c.render(c.of(&query.Or{Parts: parts}, levelSimilar))
	names, err := collect[int64](ctx, s.tx, fmt.Sprintf("%s LIMIT %d", sql, candidatesMax), c.args)
	if err != nil || len(names) == candidatesMax {
		return nil, false, err
	}
	ids = names
	for _, from := range sources(s.sight) {
		c = s.conditions()
		sql = fmt.Sprintf("SELECT t.customer_id FROM %s t WHERE t.words @@ (%s) LIMIT %d", from.table, c.anyText(terms), candidatesMax)
		texts, err := collect[int64](ctx, s.tx, sql, c.args)
		if err != nil || len(texts) == candidatesMax {
			return nil, false, err
		}
		ids = append(ids, texts...)
	}
	slices.Sort(ids)
	return slices.Compact(ids), true, nil
}
