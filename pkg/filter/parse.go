package filter

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.einride.tech/aip/filtering"
	expr "google.golang.org/genproto/googleapis/api/expr/v1alpha1"

	"tandem.bank/pkg/apperr"
)

// depthMax bounds nesting, so that a hostile filter can't exhaust the stack.
const depthMax = 50

// source is a filter that was parsed.
type source struct {
	// text is what the caller wrote, without the spaces around it.
	text string
	// read is what the parser read: text with its percent signs blanked, so that all stands where it stood.
	read string
	// lead counts the characters before text.
	lead      int
	expr      *expr.Expr
	positions map[int64]int32
}

// wordMax bounds what an error repeats of a filter.
const wordMax = 40

// parseFilter reads a filter that is not empty. Errors are INVALID_ARGUMENT on the field "filter".
func parseFilter(text string) (*source, error) {
	left := strings.TrimLeftFunc(text, unicode.IsSpace)
	s := &source{text: strings.TrimSpace(text), lead: utf8.RuneCountInString(text) - utf8.RuneCountInString(left)}
	if nesting(text) > depthMax {
		return nil, apperr.InvalidField("filter", "is nested deeper than %d", depthMax)
	}
	s.read = blankPercents(s.text)
	var parser filtering.Parser
	parser.Init(s.read)
	parsed, err := parser.Parse()
	if err != nil {
		return nil, s.syntax(err)
	}
	s.expr, s.positions = parsed.GetExpr(), parsed.GetSourceInfo().GetPositions()
	return s, nil
}

func nesting(text string) int {
	depth, deepest := 0, 0
	for _, r := range text {
		switch r {
		case '(', '-':
			depth++
		case ')':
			depth--
		}
		deepest = max(deepest, depth)
	}
	return deepest + strings.Count(text, "NOT ")
}

// blankPercents puts a space in the place of each percent sign behind a digit, which AIP-160 does not know. Texts in quotes
// stay. Where a percent sign is not meant, source.percent is not asked, and stray finds it.
func blankPercents(text string) string {
	out, quote := []byte(text), byte(0)
	for i := 0; i < len(out); i++ {
		switch b := out[i]; {
		case quote != 0 && b == '\\':
			i++
		case quote != 0:
			if b == quote {
				quote = 0
			}
		case b == '"' || b == '\'':
			quote = b
		case b == '%' && i > 0 && out[i-1] >= '0' && out[i-1] <= '9':
			out[i] = ' '
		}
	}
	return string(out)
}

// percent returns where the percent sign of the number at an offset stands; -1 when it has none.
func (s *source) percent(offset int32) int {
	at := int(offset)
	for at < len(s.text) && (s.text[at] == '-' || s.text[at] == '.' || s.text[at] >= '0' && s.text[at] <= '9') {
		at++
	}
	if at < len(s.text) && s.text[at] == '%' && s.read[at] == ' ' {
		return at
	}
	return -1
}

// stray returns where a percent sign stands that nobody asked for; -1 when there is none.
func (s *source) stray(asked map[int]bool) int {
	for i := range len(s.text) {
		if s.text[i] != s.read[i] && !asked[i] {
			return i
		}
	}
	return -1
}

// character is the place of an offset as people count: from 1, in what the caller wrote.
func (s *source) character(offset int) int {
	return s.lead + utf8.RuneCountInString(s.text[:min(offset, len(s.text))]) + 1
}

// at refuses a filter for what stands at an offset.
func (s *source) at(offset int, cause string) error {
	return apperr.InvalidField("filter", "at character %d: %s", s.character(offset), cause)
}

// place is what errors of the parser know.
type place interface {
	Position() filtering.Position
	Message() string
}

// syntax says where the parser stopped, and why: the innermost error does.
func (s *source) syntax(err error) error {
	offset, cause := len(s.text), ""
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		if found, ok := inner.(place); ok {
			offset, cause = int(found.Position().Offset), found.Message()
		}
	}
	switch {
	case errors.Is(err, io.EOF):
		return s.at(len(s.text), "something is missing at the end")
	case offset < len(s.text) && s.text[offset] == '(':
		cause += "; arguments of a function are separated by commas, as in " + `segment("name") or top(field, 10%)`
	case offset < len(s.text):
		cause += fmt.Sprintf(": %q", s.word(offset))
	}
	return s.at(offset, cause)
}

// word is what stands at an offset, or its beginning.
func (s *source) word(offset int) string {
	rest := []rune(strings.TrimLeftFunc(s.text[offset:], unicode.IsSpace))
	end := slices.IndexFunc(rest, func(r rune) bool { return unicode.IsSpace(r) || r == '(' || r == ')' })
	if end <= 0 {
		end = len(rest)
	}
	return string(rest[:min(end, wordMax)])
}

// leaf is the text of the comparison or function that begins at an offset.
func (s *source) leaf(offset int32) string {
	rest := s.read[offset:]
	var lexer filtering.Lexer
	lexer.Init(rest)
	depth, end, spaced := 0, 0, false
	for {
		token, err := lexer.Lex()
		if err != nil {
			break
		}
		keyword := token.Type == filtering.TokenTypeAnd || token.Type == filtering.TokenTypeOr
		if depth == 0 && (token.Type == filtering.TokenTypeRightParen || keyword && spaced) {
			break
		}
		switch token.Type { //nolint:exhaustive // all others are alike
		case filtering.TokenTypeLeftParen:
			depth++
		case filtering.TokenTypeRightParen:
			depth--
		}
		if spaced = token.Type == filtering.TokenTypeWhitespace; !spaced {
			end = int(token.Position.Offset) + len(token.Value)
		}
	}
	return s.text[int(offset) : int(offset)+end]
}
