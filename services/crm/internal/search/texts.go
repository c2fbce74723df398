package search

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/sight"
)

// source is a table of texts about customers. Its rows have customer_id and words.
type source struct {
	table, id string
	// field is how a hit calls it, and shownAs are the fields that one must see in full to find by them.
	field   string
	shownAs []string
	// newest selects, on the words %s, the newest three texts of asked.customer_id: id and shown.
	newest string
	// note writes the id into a match.
	note func(*crmv1.FieldMatch, int64)
}

// allSources are the texts that customers are found by.
var allSources = []source{
	{
		table: "interaction", id: "interaction_id", field: "interaction.text", shownAs: []string{"Interaction.subject", "Interaction.text"},
		newest: `SELECT t.interaction_id AS id, left(t.subject || ' ' || t.text, 10000) AS shown FROM interaction t
    WHERE t.customer_id = asked.customer_id AND t.words @@ %s ORDER BY t.opened_at DESC, t.interaction_id DESC LIMIT 3`,
		note: func(m *crmv1.FieldMatch, id int64) { m.InteractionId = id },
	},
	{
		table: "document_search", id: "document_id", field: "document.text", shownAs: []string{"Document.title", "Document.text"},
		newest: `SELECT f.document_id AS id, document_part(d.title, d.text, f.part) AS shown FROM (
        SELECT DISTINCT ON (t.document_id) t.document_id, t.part FROM document_search t
        WHERE t.customer_id = asked.customer_id AND t.words @@ %s ORDER BY t.document_id DESC, t.part LIMIT 3
    ) f JOIN document d ON d.document_id = f.document_id ORDER BY f.document_id DESC`,
		note: func(m *crmv1.FieldMatch, id int64) { m.DocumentId = id },
	},
}

// sources are those that the caller may find by.
func sources(s *sight.Sight) []source {
	var out []source
	for _, texts := range allSources {
		if s.Shows(texts.shownAs...) {
			out = append(out, texts)
		}
	}
	return out
}

// text is the tsquery, as an expression, for a term in texts.
func (c *conditions) text(t *term) string {
	if t.Prefix {
		words := make([]string, len(t.words))
		for i, w := range t.words {
			words[i] = "'" + w.plain + "'" // letters and digits only: there is nothing to escape
		}
		return fmt.Sprintf("to_tsquery('simple', %s::text)", c.bind(strings.Join(words, "<->")+":*"))
	}
	const both = "phraseto_tsquery('pg_catalog.russian', search_plain(%[1]s::text)) || phraseto_tsquery('pg_catalog.simple', search_plain(%[1]s::text))"
	return fmt.Sprintf(both, c.bind(t.Text))
}

// anyText is the tsquery for any of the wanted terms in texts.
func (c *conditions) anyText(wanted []*term) string {
	parts := make([]string, len(wanted))
	for i, t := range wanted {
		parts[i] = c.text(t)
	}
	return strings.Join(parts, " || ")
}

// inTexts are the ways to have a term in a text of a customer of customer_search s.
func (c *conditions) inTexts(t *term) []string {
	var ways []string
	found := sources(c.sight)
	if len(found) == 0 {
		return nil
	}
	text := c.text(t)
	for _, in := range found {
		// The offset keeps Postgres from collecting all who have the words before it looks at the first.
		ways = append(ways, fmt.Sprintf(
			"EXISTS (SELECT FROM %s t WHERE t.customer_id = s.customer_id AND coalesce(t.words @@ (%s), false) OFFSET 0)", in.table, text))
	}
	return ways
}

// markWords has Postgres mark the words that it finds, and leave nothing out.
const markWords = "HighlightAll=true, StartSel=" + markStart + ", StopSel=" + markEnd

// texts are, by customer, the newest texts of each source in which any of the wanted words stands.
func (s *search) texts(ctx context.Context, ids []int64) (map[int64][]*crmv1.FieldMatch, error) {
	out := map[int64][]*crmv1.FieldMatch{}
	for _, from := range sources(s.sight) {
		if err := s.textsFrom(ctx, from, ids, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s *search) textsFrom(ctx context.Context, from source, ids []int64, out map[int64][]*crmv1.FieldMatch) error {
	c := s.conditions()
	wanted := c.anyText(s.wanted)
	sql := fmt.Sprintf(`SELECT asked.customer_id, f.id, f.shown, ts_headline('pg_catalog.russian', search_plain(f.shown), q, %[3]s::text)
FROM (SELECT %[1]s AS q) wanted
CROSS JOIN unnest(%[2]s::bigint[]) AS asked (customer_id)
CROSS JOIN LATERAL (
    %[4]s
) f`, wanted, c.bind(ids), c.bind(markWords), fmt.Sprintf(from.newest, "q"))
	rows, err := s.tx.Query(ctx, sql, append([]any{pgx.QueryExecModeExec}, c.args...)...)
	if err != nil {
		return err
	}
	var customerID, id int64
	var text, plain string
	_, err = pgx.ForEachRow(rows, []any{&customerID, &id, &text, &plain}, func() error {
		match := &crmv1.FieldMatch{Field: from.field, Snippet: snippet(text, plain)}
		from.note(match, id)
		out[customerID] = append(out[customerID], match)
		return nil
	})
	return err
}
