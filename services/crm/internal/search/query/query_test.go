package query

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// text renders a node so that tests can be read.
func text(n Node) string {
	list := func(parts []Node, name string) string {
		texts := make([]string, len(parts))
		for i, part := range parts {
			texts[i] = text(part)
		}
		return "(" + strings.Join(texts, name) + ")"
	}
	switch n := n.(type) {
	case *And:
		return list(n.Parts, " AND ")
	case *Or:
		return list(n.Parts, " OR ")
	case *Not:
		return "NOT " + text(n.Part)
	case *Term:
		out := n.Text
		switch {
		case n.Quoted:
			out = `"` + out + `"`
		case n.Masked:
			out = strings.TrimSpace("#" + out + " of a card " + n.First)
		case n.Number:
			out = "#" + out
		}
		if n.Prefix {
			out += "*"
		}
		return out
	}
	return "nothing"
}

func TestParse(t *testing.T) {
	t.Parallel()
	cases := []struct{ in, want string }{
		{`Novák`, `Novák`},
		{`Jan Novák`, `(Jan AND Novák)`},
		{`Jan AND Novák OR Eva`, `((Jan AND Novák) OR Eva)`},
		{`Jan (Novák OR Svoboda)`, `(Jan AND (Novák OR Svoboda))`},
		{`Jan -Novák`, `(Jan AND NOT Novák)`},
		{`Jan NOT "credit card"`, `(Jan AND NOT "credit card")`},
		{`Jan NOT -Novák`, `(Jan AND Novák)`},
		{`Jan -(a OR b)`, `(Jan AND NOT (a OR b))`},
		{`Shev*`, `Shev*`},
		{`"Jan Novák`, `"Jan Novák"`},
		{`„Jan Novák“`, `"Jan Novák"`},
		{`"Jan Nov*"`, `"Jan Nov"*`},
		{`"Jan Nov"* Eva`, `("Jan Nov"* AND Eva)`},
		{`Jan - Novák`, `(Jan AND Novák)`},
		{`(Jan (Novák`, `(Jan AND Novák)`},
		{`Jan) Novák`, `(Jan AND Novák)`},
		{`AND Jan OR`, `Jan`},
		{`OR || Jan AND &&`, `Jan`},
		{`and or`, `(and AND or)`},
		{`O'Connor, Bob`, `(O'Connor AND Bob)`},
		{`Jean-Pierre`, `Jean-Pierre`},
		{`+420 601 123 456`, `(#+420 601 123 456 OR (+420 AND 601 AND 123 AND 456))`},
		{`(601) 123-456`, `(#(601) 123-456 OR ((601) AND 123-456))`},
		{`(601123456)`, `#601123456`},
		{`Jan 601123456`, `(Jan AND #601123456)`},
		{`-601123456 Jan`, `(NOT #601123456 AND Jan)`},
		{`cz65 0800 0000 1920 0014 5399 Jan`, `(#cz65 0800 0000 1920 0014 5399 AND Jan)`},
		{`GB82WEST12345698765432`, `#GB82WEST12345698765432`},
		{`GB82 WEST 1234 5698 7654 32`, `#GB82 WEST 1234 5698 7654 32`},
		{`19-2000145399/0800`, `#19-2000145399/0800`},
		{`**** **** **** 1234`, `#1234 of a card`},
		{`XXXX-XXXX-XXXX-1234 Jan`, `(#1234 of a card AND Jan)`},
		{`400203******1234`, `#1234 of a card 400203`},
		{`4002 03•• •••• 1234`, `#1234 of a card 400203`},
		{`4002 **** **** 1234`, `#1234 of a card 4002`},
		{`X1234`, `X1234`},
		{`мю 123456`, `(#мю 123456 OR (мю AND 123456))`},
		{`IBAN: CZ65 0800 0000 1920 0014 5399`, `#CZ65 0800 0000 1920 0014 5399`},
		{`Jan tel. +420 601 123 456`, `(Jan AND (#+420 601 123 456 OR (+420 AND 601 AND 123 AND 456)))`},
		{"+420\u202f601\u202f123\u2011456", "(#+420 601 123\u2011456 OR (+420 AND 601 AND 123\u2011456))"},
		{`card 1234`, `1234`},
		{`card Novák`, `(card AND Novák)`},
		{`jan.novak@example.org`, `jan.novak@example.org`},
		{`601123456@example.org`, `601123456@example.org`},
		{`demo/C1167`, `demo/C1167`},
		{`1234`, `1234`},
	}
	for _, c := range cases {
		n, err := Parse(c.in)
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
		} else if diff := cmp.Diff(c.want, text(n)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.in, diff)
		}
	}
}

func TestNothingToLookFor(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"", " ", `""`, "-Jan", "NOT (Jan OR Eva)", "AND", "()", "* ?", "Jan OR -Eva", "-a -b"} {
		if n, err := Parse(in); !errors.Is(err, ErrEmpty) {
			t.Errorf("%q is %s, %v", in, text(n), err)
		}
	}
	if _, err := Parse(strings.Repeat("a ", TermsMax+1)); !errors.Is(err, ErrTooMany) {
		t.Errorf("too many words: %v", err)
	}
}

// FuzzParse holds the parser to its limits: it reads everything, and what it gives can be looked for.
func FuzzParse(f *testing.F) {
	for _, in := range []string{`Jan -(Novák OR "Eva B") AND x*`, `+420 601 123 456`, `cz65 0800 0000 1920 0014 5399`, `((((`, `"`, `- - -!`} {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		n, err := Parse(in)
		if err != nil {
			if n != nil || !errors.Is(err, ErrEmpty) && !errors.Is(err, ErrTooMany) {
				t.Errorf("%q: %v, %v", in, n, err)
			}
			return
		}
		wanted := Wanted(n)
		if len(wanted) == 0 {
			t.Errorf("%q looks for nothing", in)
		}
		for _, term := range wanted {
			if term.Text == "" || !utf8.ValidString(term.Text) {
				t.Errorf("%q looks for %q", in, term.Text)
			}
		}
	})
}
