package search

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"tandem.bank/services/crm/internal/search/spelling"
)

// Around the first word found, so many words are shown.
const (
	wordsBefore = 6
	wordsAfter  = 12
)

// The signs around a word that was found; no text of a bank has them.
const markStart, markEnd = "⟦", "⟧"

var marked = regexp.MustCompile(markStart + "([^" + markEnd + "]*)" + markEnd)

// snippet shows a text around the first word found and marks all it shows. Postgres finds the words by their stems, but
// only in a text without case and marks: plain is that text with its marks set, and gives the words to find in the other.
func snippet(text, plain string) string {
	var found []string
	for _, match := range marked.FindAllStringSubmatch(plain, -1) {
		found = append(found, spelling.Words(match[1])...)
	}
	parts := strings.Fields(text)
	hits := make([]bool, len(parts))
	for i, part := range parts {
		hits[i] = slices.ContainsFunc(spelling.Words(part), func(word string) bool { return slices.Contains(found, word) })
	}
	first := max(slices.Index(hits, true), 0)
	from, to := max(first-wordsBefore, 0), min(first+wordsAfter, len(parts))
	var out []string
	for i := from; i < to; i++ {
		if hits[i] {
			parts[i] = mark(parts[i])
		}
		out = append(out, parts[i])
	}
	if from > 0 {
		out = slices.Insert(out, 0, "…")
	}
	if to < len(parts) {
		out = append(out, "…")
	}
	return strings.Join(out, " ")
}

// mark puts the signs around a word and leaves its punctuation outside.
func mark(part string) string {
	aside := func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }
	word := strings.TrimFunc(part, aside)
	before, after, _ := strings.Cut(part, word)
	return before + markStart + word + markEnd + after
}
