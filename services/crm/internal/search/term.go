package search

import (
	"slices"
	"strings"
	"unicode"
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
	// number says that it has no letters, or stands in a number or an address: it is spelt in one way only.
	number bool
}

func newTerm(q *query.Term) *term {
	t := &term{Term: q}
	plain, number := spelling.Words(q.Text), isNumber(q)
	for i, text := range plain {
		t.words = append(t.words, &word{
			plain: text, latin: spelling.Latin(text), quoted: q.Quoted, number: number,
			// Only the last word can be unfinished. A word in quotes is finished, unless there is a star.
			prefix: i == len(plain)-1 && (q.Prefix || !q.Quoted && !q.Number && utf8.RuneCountInString(text) >= prefixLengthMin),
		})
	}
	return t
}

// isNumber says whether a term can only be a number or an address of something: names hold such words rarely, and as written.
func isNumber(q *query.Term) bool {
	return q.Number || strings.Contains(q.Text, "@") || !strings.ContainsFunc(q.Text, unicode.IsLetter)
}

// guess says whether the word may be misspelt.
func (w *word) guess() bool { return !w.quoted && !w.number && guessable(w.latin[0]) }

// forms are the lexemes of customer_search that the word stands for at a level, without their mark; a form with a star is a
// beginning. Nobody spells a number in two ways.
func (w *word) forms(level crmv1.MatchLevel) []string {
	forms := []string{w.plain}
	latin := func(words []string, suffix string) {
		for _, word := range words {
			forms = append(forms, latinMark+word+suffix)
		}
	}
	spelt := !w.number
	if spelt && level >= levelEquivalent {
		latin(w.latin, "")
		if !w.quoted {
			for _, word := range w.latin {
				latin(synonyms()[word], "")
			}
		}
	}
	if level >= levelPrefix && w.prefix {
		forms = append(forms, w.plain+"*")
		if spelt {
			latin(w.latin, "*")
		}
	}
	if level >= levelSimilar {
		latin(w.similar, "")
	}
	slices.Sort(forms)
	return slices.Compact(forms)
}

// tsquery finds the term under any of the marks at a level. Words of one term stand one behind the other.
func (t *term) tsquery(level crmv1.MatchLevel, marks []string) string {
	words := make([]string, len(t.words))
	for i, w := range t.words {
		var forms []string
		for _, mark := range marks {
			for _, form := range w.forms(level) {
				// Words are letters and digits only: there is nothing to escape.
				bare, prefix := strings.CutSuffix(form, "*")
				form = "'" + mark + bare + "'"
				if prefix {
					form += ":*"
				}
				forms = append(forms, form)
			}
		}
		words[i] = "(" + strings.Join(forms, "|") + ")"
	}
	return strings.Join(words, "<->")
}

// stands says whether one of the term's words stands in a text at a level.
func (t *term) stands(text string, level crmv1.MatchLevel) bool {
	var has []string
	for _, plain := range spelling.Words(text) {
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
