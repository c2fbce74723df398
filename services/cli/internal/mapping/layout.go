package mapping

import (
	"fmt"
	"strings"
	"unicode"
)

// layoutTokens are the parts of a date layout and what Go calls them; longer ones first.
var layoutTokens = []struct{ token, layout string }{
	{"YYYY", "2006"},
	{"YY", "06"},
	{"MM", "01"},
	{"M", "1"},
	{"DD", "02"},
	{"D", "2"},
	{"hh", "15"},
	{"mm", "04"},
	{"ss", "05"},
	{"T", "T"},
}

// goLayout turns a layout such as "DD.MM.YYYY" into Go's.
func goLayout(layout string) (string, error) {
	var out strings.Builder
	rest := layout
	for rest != "" {
		token, goToken, ok := nextToken(rest)
		if !ok {
			return "", fmt.Errorf("date layout %q: %q is not one of YYYY, YY, MM, M, DD, D, hh, mm, ss, T or a sign", layout, rest)
		}
		out.WriteString(goToken)
		rest = rest[len(token):]
	}
	if !strings.Contains(layout, "YY") || !strings.Contains(layout, "M") || !strings.Contains(layout, "D") {
		return "", fmt.Errorf("date layout %q must hold year, month and day", layout)
	}
	return out.String(), nil
}

func nextToken(rest string) (token, goToken string, ok bool) {
	for _, t := range layoutTokens {
		if strings.HasPrefix(rest, t.token) {
			return t.token, t.layout, true
		}
	}
	first := []rune(rest)[0]
	// Letters, digits and "_" mean something in Go's layouts.
	if unicode.IsLetter(first) || unicode.IsDigit(first) || first == '_' {
		return "", "", false
	}
	return string(first), string(first), true
}
