package query

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"tandem.bank/services/crm/internal/search/spelling"
)

type kind int

const (
	termToken kind = iota
	andToken
	orToken
	notToken
	openToken
	closeToken
)

type token struct {
	kind kind
	term scanned
}

// scanned is a term with the other way to read it.
type scanned struct {
	Term
	// groups of a number that could also be words of their own.
	groups []string
}

func (s scanned) node() Node {
	term := s.Term
	if len(s.groups) < 2 {
		return &term
	}
	apart := &And{}
	for _, group := range s.groups {
		apart.Parts = append(apart.Parts, &Term{Text: group})
	}
	return &Or{[]Node{&term, apart}}
}

// grouped is a number as people write phones and accounts: digits with spaces, dots, dashes, slashes and parentheses.
var grouped = regexp.MustCompile(`^\+?\(?[0-9](?:[ ./()\-‐‑–]{0,2}[0-9]){5,29}`)

// series is the number of a document with letters before it: МЮ 123456, мю 123456, AB № 123456.
var series = regexp.MustCompile(`^(\p{Lu}{1,4}|\p{L}{2})[ №-]{1,3}[0-9](?:[ -]?[0-9]){4,14}`)

// masked is the number of a card of which only the last digits, and perhaps the first, are shown: XXXX-XXXX-XXXX-1234,
// 4002 03** **** 1234.
var masked = regexp.MustCompile(`^(?:([0-9]{4})[ -]?([0-9]{2})?)?(?:[ -]?[xXхХ*•·#]){3,13}[ -]?([0-9]{4})`)

// label is what people write before a number to say what it is, and numbered what it can stand before.
var (
	label = regexp.MustCompile(`^(?i:iban|account|účet|счет|счёт|рахунок|phone|telefon|tel|mobil|mob|телефон|тел|моб|card|karta|карта|картка` +
		`|tax id|vat|dič|ičo|edrpou|инн|іпн|ипн|рнокпп|єдрпоу|едрпоу)(?:[.:№# ]+)`)
	numbered = regexp.MustCompile(`^(?:[+(]{0,2}[0-9]|[A-Za-z]{2}[0-9]{2}|[xXхХ*•·#]{3})`)
)

// spaces of other kinds come with numbers that were copied from somewhere.
var spaces = strings.NewReplacer("\u00a0", " ", "\u2007", " ", "\u2009", " ", "\u202f", " ")

// ibanStart is what an IBAN begins with.
var ibanStart = regexp.MustCompile(`^[A-Za-z]{2}[0-9]{2}`)

func scan(text string) []token {
	var tokens []token
	text = spaces.Replace(strings.ToValidUTF8(text, " "))
	for text != "" {
		if named := label.FindString(text); named != "" && numbered.MatchString(text[len(named):]) {
			text = text[len(named):] // the number says more than its name
		}
		first, size := utf8.DecodeRuneInString(text)
		if unicode.IsSpace(first) {
			text = text[size:]
			continue
		}
		t, length := next(text)
		if t != nil {
			tokens = append(tokens, *t)
		}
		text = text[length:]
	}
	return tokens
}

// next reads one token and says how long it is; nil is something that says nothing.
func next(text string) (*token, int) {
	if t, length := number(text); t != nil {
		return t, length
	}
	switch first, size := utf8.DecodeRuneInString(text); {
	case first == '(':
		return &token{kind: openToken}, size
	case first == ')':
		return &token{kind: closeToken}, size
	case first == '-' || first == '!':
		if strings.HasPrefix(text[size:], " ") { // a dash between words, which says nothing
			return nil, size
		}
		return &token{kind: notToken}, size
	case isQuote(first):
		return quoted(text, size)
	}
	return word(text)
}

// number reads an IBAN, the number of a card or of a document, or digits in groups.
func number(text string) (*token, int) {
	if length := iban(text); length > 0 {
		return &token{term: scanned{Term: Term{Text: text[:length], Number: true}}}, length
	}
	if parts := masked.FindStringSubmatch(text); parts != nil && ends(text[len(parts[0]):]) {
		card := Term{Text: parts[3], Number: true, Masked: true, First: parts[1] + parts[2]}
		return &token{term: scanned{Term: card}}, len(parts[0])
	}
	if parts := series.FindStringSubmatch(text); parts != nil && ends(text[len(parts[0]):]) && !operator(parts[1]) {
		written, letters := parts[0], parts[1]
		rest := strings.TrimLeft(written[len(letters):], " №-")
		return &token{term: scanned{Term: Term{Text: written, Number: true}, groups: []string{letters, rest}}}, len(written)
	}
	length := len(grouped.FindString(text))
	if length == 0 {
		return nil, 0
	}
	// "(601) 123 456" has its parentheses, "601 123 456)" closes one from before, and 601123456@x.cz is an address.
	written := text[:length]
	if strings.Count(written, "(") != strings.Count(written, ")") || !ends(text[length:]) {
		return nil, 0
	}
	return &token{term: scanned{Term: Term{Text: written, Number: true}, groups: strings.Fields(written)}}, length
}

// ends says whether a word may end before this rest.
func ends(rest string) bool {
	r, _ := utf8.DecodeRuneInString(rest)
	return rest == "" || unicode.IsSpace(r) || strings.ContainsRune(`(),;"`, r)
}

// iban finds the longest start of the text that is an IBAN with right check digits, in groups or not.
func iban(text string) int {
	if !ibanStart.MatchString(text) {
		return 0
	}
	longest, compact := 0, make([]byte, 0, ibanLengthMax)
	for i := 0; i < len(text) && len(compact) < ibanLengthMax; i++ {
		switch c := text[i]; {
		case c >= '0' && c <= '9', c >= 'A' && c <= 'Z':
			compact = append(compact, c)
		case c >= 'a' && c <= 'z':
			compact = append(compact, c-'a'+'A')
		case c == ' ' || c == '-':
			continue
		default:
			return longest
		}
		if len(compact) >= ibanLengthMin && ends(text[i+1:]) && checks(compact) {
			longest = i + 1
		}
	}
	return longest
}

// The shortest and the longest IBAN (ISO 13616).
const (
	ibanLengthMin = 15
	ibanLengthMax = 34
)

// checks verifies the check digits by ISO 7064 MOD 97-10.
func checks(iban []byte) bool {
	rest := 0
	for i := range iban {
		if c := iban[(i+4)%len(iban)]; c >= 'A' {
			rest = (rest*100 + int(c-'A') + 10) % 97
		} else {
			rest = (rest*10 + int(c-'0')) % 97
		}
	}
	return rest == 1
}

func isQuote(r rune) bool { return strings.ContainsRune(`"“”„«»`, r) }

func quoted(text string, start int) (*token, int) {
	inside, length := text[start:], len(text)
	if end := strings.IndexFunc(inside, isQuote); end >= 0 {
		_, size := utf8.DecodeRuneInString(inside[end:])
		length = start + end + size
		inside = inside[:end]
	}
	bare, prefix := strings.CutSuffix(strings.TrimSpace(inside), "*")
	if strings.HasPrefix(text[length:], "*") {
		prefix, length = true, length+1
	}
	if len(spelling.Words(bare)) == 0 {
		return nil, length
	}
	return &token{term: scanned{Term: Term{Text: bare, Quoted: true, Prefix: prefix}}}, length
}

var operators = map[string]kind{
	"AND": andToken, "&&": andToken, "&": andToken, "OR": orToken, "||": orToken, "|": orToken, "NOT": notToken,
}

func operator(written string) bool { _, ok := operators[written]; return ok }

func word(text string) (*token, int) {
	length := strings.IndexFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || isQuote(r) || r == '(' || r == ')'
	})
	if length < 0 {
		length = len(text)
	}
	written := text[:length]
	if k, ok := operators[written]; ok {
		return &token{kind: k}, length
	}
	bare := strings.TrimRight(written, ",;:")
	bare, prefix := strings.CutSuffix(bare, "*")
	if len(spelling.Words(bare)) == 0 {
		return nil, length
	}
	return &token{term: scanned{Term: Term{Text: strings.TrimLeft(bare, "*•…,;:"), Prefix: prefix}}}, length
}
