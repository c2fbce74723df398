package search

import (
	"slices"
	"strings"
	"unicode/utf8"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/search/query"
	"tandem.bank/services/crm/internal/search/spelling"
)

// Short names of the levels, of which each finds what the one before it finds and more.
const (
	levelIdentifier = crmv1.MatchLevel_MATCH_LEVEL_IDENTIFIER
	levelExact      = crmv1.MatchLevel_MATCH_LEVEL_EXACT
	levelEquivalent = crmv1.MatchLevel_MATCH_LEVEL_EQUIVALENT
	levelPrefix     = crmv1.MatchLevel_MATCH_LEVEL_PREFIX
	levelSimilar    = crmv1.MatchLevel_MATCH_LEVEL_SIMILAR
	levelText       = crmv1.MatchLevel_MATCH_LEVEL_TEXT
)

// prefixLengthMin is the length, in letters, from which a word without a star is taken for a beginning.
const prefixLengthMin = 2

// term is one thing to look for, with all that it may mean.
type term struct {
	*query.Term
	words []*word
	// found are customers who have the term as an identifier; begun are those with an e-mail address that begins so.
	found, begun []identified
}

// word is one word of a term.
type word struct {
	plain string
	latin []string
	// similar are words that this one may be a slip of; filled in from the database.
	similar []string
	prefix  bool
	quoted  bool
}

func newTerm(q *query.Term) *term {
	t := &term{Term: q}
	plain := spelling.Words(q.Text)
	for i, text := range plain {
		t.words = append(t.words, &word{
			plain: text, latin: spelling.Latin(text), quoted: q.Quoted,
			// Only the last word can be unfinished. A word in quotes is finished, unless there is a star.
			prefix: i == len(plain)-1 && (q.Prefix || !q.Quoted && !q.Number && utf8.RuneCountInString(text) >= prefixLengthMin),
		})
	}
	return t
}

// guess says whether the word may be misspelt.
func (w *word) guess() bool { return !w.quoted && guessable(w.latin[0]) }

// forms are the lexemes of customer_search that the word stands for at a level; a form with a star is a beginning.
func (w *word) forms(level crmv1.MatchLevel) []string {
	forms := []string{w.plain}
	mark := func(words []string, suffix string) {
		for _, latin := range words {
			forms = append(forms, latinMark+latin+suffix)
		}
	}
	if level >= levelEquivalent {
		mark(w.latin, "")
		if !w.quoted {
			for _, latin := range w.latin {
				mark(synonyms()[latin], "")
			}
		}
	}
	if level >= levelPrefix && w.prefix {
		forms = append(forms, w.plain+"*")
		mark(w.latin, "*")
	}
	if level >= levelSimilar {
		mark(w.similar, "")
	}
	slices.Sort(forms)
	return slices.Compact(forms)
}

// tsquery finds the term in names at a level. Words of one term stand one behind the other.
func (t *term) tsquery(level crmv1.MatchLevel) string {
	words := make([]string, len(t.words))
	for i, w := range t.words {
		forms := w.forms(level)
		for j, form := range forms {
			// Words are letters and digits only: there is nothing to escape.
			bare, prefix := strings.CutSuffix(form, "*")
			if forms[j] = "'" + bare + "'"; prefix {
				forms[j] += ":*"
			}
		}
		words[i] = "(" + strings.Join(forms, "|") + ")"
	}
	return strings.Join(words, "<->")
}

// names says whether a name has one of the term's words at a level.
func (t *term) names(name string, level crmv1.MatchLevel) bool {
	var has []string
	for _, plain := range spelling.Words(name) {
		has = append(has, plain)
		for _, latin := range spelling.Latin(plain) {
			has = append(has, latinMark+latin)
		}
	}
	for _, w := range t.words {
		for _, form := range w.forms(level) {
			bare, prefix := strings.CutSuffix(form, "*")
			if slices.ContainsFunc(has, func(s string) bool { return s == bare || prefix && strings.HasPrefix(s, bare) }) {
				return true
			}
		}
	}
	return false
}

// identifiers are the customers that the term names at a level.
func (t *term) identifiers(level crmv1.MatchLevel) []identified {
	if level >= levelPrefix {
		return append(slices.Clip(t.found), t.begun...)
	}
	return t.found
}
