package search

import (
	_ "embed" // for the synonyms
	"slices"
	"strings"
	"sync"

	"tandem.bank/services/crm/internal/search/spelling"
)

//go:embed synonyms.txt
var synonymsText string

// synonyms gives, for a word in Latin form, the Latin forms of the words that are used for it.
var synonyms = sync.OnceValue(func() map[string][]string { return readSynonyms(synonymsText) })

func readSynonyms(text string) map[string][]string {
	out := map[string][]string{}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		var group []string
		for _, word := range spelling.Words(line) {
			group = append(group, spelling.Latin(word)...)
		}
		for _, word := range group {
			out[word] = append(out[word], group...)
		}
	}
	for word, group := range out {
		slices.Sort(group)
		out[word] = slices.Compact(group)
	}
	return out
}
