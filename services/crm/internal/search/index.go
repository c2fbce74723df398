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

	"tandem.bank/services/crm/internal/customer"
	"tandem.bank/services/crm/internal/record"
	"tandem.bank/services/crm/internal/request"
	"tandem.bank/services/crm/internal/search/spelling"
)

//go:embed index.sql
var indexSQL string

// latinMark comes before words in the one Latin spelling, which keeps them apart from words as they are written.
const latinMark = "~"

// guessLengthMin is the length, in letters, from which a misspelt word can be told from another word.
const guessLengthMin = 3

// Index keeps what customers are found by. It runs in the transaction that writes them, as their room's follower; old are
// the customers as they were, nil where nothing is known of that: who keeps the names keeps the words.
func Index(ctx context.Context, tx pgx.Tx, customers []*record.Record[customer.Row], old []*customer.Row) error {
	var ids []int64
	var documents []string
	known := map[string]bool{}
	for i, c := range customers {
		if old[i] == nil || !slices.Equal(nameTexts(old[i]), nameTexts(&c.Row)) {
			ids, documents = append(ids, c.ID), append(documents, document(&c.Row, known))
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return request.Later(ctx, tx, nil, indexSQL, ids, documents, spelling.Rules, slices.Sorted(maps.Keys(known)))
}

// document renders the words of a customer's names as a tsvector, and notes those that others may misspell. Between the
// texts a place stays free, so that no phrase goes from one into the next.
func document(row *customer.Row, known map[string]bool) string {
	var out strings.Builder
	position := 0
	for _, text := range nameTexts(row) {
		for _, word := range spelling.Words(text) {
			position++
			fmt.Fprintf(&out, "'%s':%d ", word, position)
			for _, latin := range spelling.Latin(word) {
				fmt.Fprintf(&out, "'%s%s':%d ", latinMark, latin, position)
				if guessable(latin) {
					known[latin] = true
				}
			}
		}
		position++
	}
	return out.String()
}

// guessable says whether a word is long enough, and a word, to be mistaken for another one.
func guessable(word string) bool {
	return utf8.RuneCountInString(word) >= guessLengthMin && !strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsLetter(r) })
}
