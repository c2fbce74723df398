package search

import (
	"context"
	"fmt"
	"slices"
	"strings"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/customer"
	"tandem.bank/services/crm/internal/record"
)

// matchesMax bounds the fields that a hit shows.
const matchesMax = 20

// scores by level.
var scores = map[crmv1.MatchLevel]float64{
	levelIdentifier: 1, levelExact: 0.9, levelEquivalent: 0.8, levelPrefix: 0.6, levelSimilar: 0.4, levelText: 0.2,
}

// show completes hits: the customers, and the fields in which the words were found.
func (s *search) show(ctx context.Context, hits []hit) ([]*crmv1.SearchHit, error) {
	if len(hits) == 0 {
		return nil, nil
	}
	ids := make([]int64, len(hits))
	for i, h := range hits {
		ids[i] = h.ID
	}
	customers, err := customer.Table.Select(ctx, s.tx, "customer_id = ANY($1)", ids)
	if err != nil {
		return nil, err
	}
	byID := make(map[int64]*record.Record[customer.Row], len(customers))
	for _, c := range customers {
		byID[c.ID] = c
	}
	texts, err := s.texts(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("show texts: %w", err)
	}
	out := make([]*crmv1.SearchHit, len(hits))
	for i, h := range hits {
		c := byID[h.ID]
		matches := append(s.fields(c, h.Level), texts[h.ID]...)
		out[i] = &crmv1.SearchHit{
			Customer: customer.ToProto(c), Level: h.Level, Score: scores[h.Level], Matches: matches[:min(len(matches), matchesMax)],
		}
	}
	return out, nil
}

// fields are the identifiers, names and attributes in which the wanted words stand.
func (s *search) fields(c *record.Record[customer.Row], level crmv1.MatchLevel) []*crmv1.FieldMatch {
	var out []*crmv1.FieldMatch
	add := func(field, value string) {
		same := func(m *crmv1.FieldMatch) bool { return m.GetField() == field && m.GetSnippet() == value }
		if !slices.ContainsFunc(out, same) {
			out = append(out, &crmv1.FieldMatch{Field: field, Snippet: value})
		}
	}
	var found []name
	if showsNames(s.sight) {
		found = names(&c.Row)
	}
	if showsAttributes(s.sight) {
		found = append(found, attributes(&c.Row, s.searched)...)
	}
	for _, t := range s.wanted {
		for _, f := range t.identifiers(level) {
			if f.CustomerID == c.ID {
				add(shownField(f, &c.Row))
			}
		}
		for _, name := range found {
			if level > levelIdentifier && t.stands(name.value, level) {
				add(name.field, name.value)
			}
		}
	}
	return out
}

// shownField is the field in which an identifier stands in this customer, and its value. What stands in a contact point and
// beside it is shown once.
func shownField(f identified, row *customer.Row) (field, value string) {
	switch {
	case f.Field == fieldContact && f.Value == row.Phone:
		return "phone", row.Phone
	case f.Field == fieldContact && f.Value == strings.ToLower(row.Email):
		return "email", row.Email
	case f.Field == fieldTaxID && row.Kind == customer.KindOrganisation:
		return "organisation.tax_ids.number", strings.ToUpper(f.Value)
	case f.Field == fieldTaxID:
		return "individual.tax_id.number", strings.ToUpper(f.Value)
	case f.Field == fieldDocument:
		return f.Field, strings.ToUpper(f.Value)
	}
	return f.Field, f.Value
}
