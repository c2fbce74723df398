package search

import (
	"context"
	_ "embed" // for the statements
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"tandem.bank/services/crm/internal/attribute"
	"tandem.bank/services/crm/internal/customer"
	"tandem.bank/services/crm/internal/document"
	"tandem.bank/services/crm/internal/record"
	"tandem.bank/services/crm/internal/request"
	"tandem.bank/services/crm/internal/search/spelling"
)

//go:embed index.sql
var indexSQL string

//go:embed index_document.sql
var indexDocumentSQL string

const (
	// latinMark comes before words in the one Latin spelling, which keeps them apart from words as they are written.
	latinMark = "~"
	// attributeMark comes before words of attributes, before all other marks: who does not see attributes asks without it.
	attributeMark = "#"
)

// guessLengthMin is the length, in letters, from which a misspelt word can be told from another word.
const guessLengthMin = 3

// Index keeps what customers are found by.
type Index struct{ catalogue *attribute.Catalogue }

// NewIndex makes one that knows from the catalogue which attributes are searched.
func NewIndex(catalogue *attribute.Catalogue) *Index { return &Index{catalogue: catalogue} }

// Customers follows what is written about customers, in the same transaction; old are the customers as they were, nil where
// nothing is known of that: who keeps the names keeps the words.
func (x *Index) Customers(ctx context.Context, tx pgx.Tx, customers []*record.Record[customer.Row], old []*customer.Row) error {
	searched, err := x.searched(ctx, tx, customers, old)
	if err != nil {
		return err
	}
	var ids []int64
	var documents []string
	known := map[string]bool{}
	for i, c := range customers {
		if old[i] == nil || !slices.Equal(nameTexts(old[i]), nameTexts(&c.Row)) ||
			!slices.Equal(attributeTexts(old[i], searched), attributeTexts(&c.Row, searched)) {
			ids, documents = append(ids, c.ID), append(documents, words(&c.Row, searched, known))
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return request.Later(ctx, tx, nil, indexSQL, ids, documents, spelling.Rules, slices.Sorted(maps.Keys(known)))
}

// searched are the attributes that count, where any of the customers has or had any.
func (x *Index) searched(ctx context.Context, tx pgx.Tx, customers []*record.Record[customer.Row], old []*customer.Row) ([]string, error) {
	for i, c := range customers {
		if len(c.Row.Attributes) > 0 || old[i] != nil && len(old[i].Attributes) > 0 {
			return x.catalogue.Searchable(ctx, tx)
		}
	}
	return nil, nil
}

// Documents follows what is written about documents, in the same transaction.
func (x *Index) Documents(ctx context.Context, tx pgx.Tx, documents []*record.Record[document.Row], old []*document.Row) error {
	var ids []int64
	for i, d := range documents {
		if old[i] == nil || old[i].Title != d.Row.Title || old[i].Text != d.Row.Text {
			ids = append(ids, d.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return request.Later(ctx, tx, nil, indexDocumentSQL, ids)
}

// words renders the words of a customer's names and attributes as a tsvector, and notes those of names that others may
// misspell. Between the texts a place stays free, so that no phrase goes from one into the next.
func words(row *customer.Row, searched []string, known map[string]bool) string {
	var out strings.Builder
	position := 0
	add := func(text, mark string) {
		for _, word := range spelling.Words(text) {
			position++
			fmt.Fprintf(&out, "'%s%s':%d ", mark, word, position)
			for _, latin := range spelling.Latin(word) {
				fmt.Fprintf(&out, "'%s%s%s':%d ", mark, latinMark, latin, position)
				if mark == "" && guessable(latin) {
					known[latin] = true
				}
			}
		}
		position++
	}
	for _, text := range nameTexts(row) {
		add(text, "")
	}
	for _, text := range attributeTexts(row, searched) {
		add(text, attributeMark)
	}
	return out.String()
}

// attributeTexts are the values of the attributes that are searched.
func attributeTexts(row *customer.Row, searched []string) []string {
	var out []string
	for _, name := range searched {
		out = append(out, row.Attributes[name].Searched()...)
	}
	return out
}

// guessable says whether a word is long enough, and a word, to be mistaken for another one.
func guessable(word string) bool {
	return utf8.RuneCountInString(word) >= guessLengthMin && !strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsLetter(r) })
}
