package search

import (
	"context"
	_ "embed" // for the statements
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/filter"
	"tandem.bank/pkg/page"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/attribute"
	"tandem.bank/services/crm/internal/customerlist"
	"tandem.bank/services/crm/internal/search/query"
	"tandem.bank/services/crm/internal/sight"
)

//go:embed similar.sql
var similarSQL string

// similarMax bounds the words that one word may be a slip of.
const similarMax = 16

// hit is a customer found, before anything is known of them.
type hit = position

// position is a place in the order of hits; a page ends at one.
type position struct {
	Level crmv1.MatchLevel `json:"l"`
	ID    int64            `json:"i"`
}

// search is one call on its way.
type search struct {
	tx     pgx.Tx
	root   query.Node
	terms  map[*query.Term]*term
	wanted []*term
	filter string
	// schema is what the filter may name, and searched the attributes that are searched.
	schema   filter.Schema
	searched []string
	sight    *sight.Sight
	// numbers says that all hits have one of the numbers or addresses that are looked for. Few have them: what is common need
	// not be looked for first.
	numbers bool
	// rare says that none of the first customers matches by a name or its beginning; nil until that is asked.
	rare *bool
	// walked counts the customers looked at one by one; stopped is where the call had looked at its share of them.
	walked  int
	stopped *position
	// frequent are the parts of a conjunction that many customers have at the level that is looked at.
	frequent map[query.Node]bool
}

func newSearch(ctx context.Context, tx pgx.Tx, req *crmv1.SearchCustomersRequest, catalogue *attribute.Catalogue) (*search, error) {
	root, err := query.Parse(req.GetQuery())
	switch {
	case errors.Is(err, query.ErrEmpty), errors.Is(err, query.ErrTooMany):
		return nil, apperr.InvalidField("query", "%s", err)
	case err != nil:
		return nil, err
	}
	schema, err := catalogue.Schema(ctx, tx, customerlist.Schema)
	if err != nil {
		return nil, err
	}
	searched, err := catalogue.Searchable(ctx, tx)
	if err != nil {
		return nil, err
	}
	s := &search{
		tx: tx, root: root, terms: map[*query.Term]*term{}, filter: req.GetFilter(), schema: schema,
		searched: searched, sight: sight.Of(ctx), numbers: isNumbers(root),
	}
	if _, _, err := filter.Postgres(s.filter, s.schema, nil); err != nil {
		return nil, err
	}
	for _, t := range query.Wanted(root) {
		s.terms[t] = newTerm(t)
		s.wanted = append(s.wanted, s.terms[t])
	}
	for _, t := range query.Wanted(&query.Not{Part: root}) {
		s.terms[t] = newTerm(t)
	}
	return s, nil
}

// run finds a page of hits, and one more if there are any. It goes down the levels, and asks for a worse one only when the
// better ones do not fill the page: most searches end early, and the guesses cost only those who need them.
func (s *search) run(ctx context.Context, after *position, size int) ([]hit, error) {
	all := make([]*term, 0, len(s.terms))
	for _, t := range s.terms {
		all = append(all, t)
	}
	if err := identify(ctx, s.tx, s.sight, all); err != nil {
		return nil, fmt.Errorf("look identifiers up: %w", err)
	}
	first, lastID := levelIdentifier, int64(0)
	if after != nil {
		first, lastID = after.Level, after.ID
	}
	var hits []hit
	last := levelText
	if len(sources(s.sight)) == 0 {
		last = levelSimilar
	}
	for level := first; level <= last && len(hits) < size && s.stopped == nil; level++ {
		if level == levelSimilar || level == first && level > levelSimilar {
			if err := s.guess(ctx); err != nil {
				return nil, fmt.Errorf("look for similar words: %w", err)
			}
		}
		ids, err := s.level(ctx, level, lastID, size-len(hits))
		if err != nil {
			return nil, fmt.Errorf("search at level %d: %w", level, err)
		}
		for _, id := range ids {
			hits = append(hits, hit{level, id})
		}
		lastID = 0
	}
	return hits, nil
}

// filtered makes the customers whom a condition, the caller's filter and the caller's sight admit.
func (s *search) filtered(ctx context.Context, c *conditions, where string) (from string, err error) {
	seen, args := sight.Condition(ctx, sight.Customers, c.args)
	c.args = args
	if s.filter == "" && seen == "" {
		return "customer_search s WHERE " + where, nil
	}
	condition, args, err := filter.Postgres(s.filter, s.schema, c.args)
	c.args = args
	if seen != "" {
		condition += " AND " + seen
	}
	// The offset keeps the join out of the inner statement: the words lead, the filter only looks at what they find.
	return fmt.Sprintf("(SELECT * FROM customer_search s WHERE %s OFFSET 0) s JOIN customer USING (customer_id) WHERE %s", where, condition), err
}

// guess finds the words that the wanted words may be slips of.
func (s *search) guess(ctx context.Context) error {
	var numbers []int32
	var texts []string
	var asked []*word
	if !showsNames(s.sight) {
		return nil
	}
	for _, t := range s.wanted {
		for _, w := range t.words {
			if !w.guess() {
				continue
			}
			for _, latin := range w.latin {
				numbers, texts, asked = append(numbers, int32(len(asked))), append(texts, latin), append(asked, w) //nolint:gosec // at most 512
			}
		}
	}
	if len(asked) == 0 {
		return nil
	}
	type near struct {
		N    int32
		Word string
	}
	rows, err := s.tx.Query(ctx, similarSQL, numbers, texts, similarMax)
	if err != nil {
		return err
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[near])
	for _, f := range found {
		asked[f.N].similar = append(asked[f.N].similar, f.Word)
	}
	return err
}

// collect runs a statement that is planned for the values it gets: a plan for any value would ignore what they say.
func collect[T any](ctx context.Context, tx pgx.Tx, sql string, args []any) ([]T, error) {
	rows, err := tx.Query(ctx, sql, append([]any{pgx.QueryExecModeExec}, args...)...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[T])
}

// encode makes the token of the page that begins behind a position.
func encode(end position, req *crmv1.SearchCustomersRequest) (string, error) {
	return page.Encode(end, parameters(req)...)
}

func decode(req *crmv1.SearchCustomersRequest) (*position, error) {
	return page.Decode[position](req.GetPageToken(), parameters(req)...)
}

func parameters(req *crmv1.SearchCustomersRequest) []string {
	return []string{"search", req.GetQuery(), req.GetFilter()}
}
