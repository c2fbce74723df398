package check

import (
	"slices"
	"strings"
)

const (
	cardDigitsMin = 13
	cardDigitsMax = 19
)

// HasCardNumber reports whether the text holds a full card number: 13 to 19 digits, perhaps grouped by single blanks or
// dashes, that begin like a card scheme's numbers (ISO/IEC 7812) and end with a right Luhn check digit. Any start within
// a longer run of groups counts, so a number can't hide behind other digits and a blank; digits that are part of one
// longer unbroken number or of a code with letters, such as an IBAN, don't.
func HasCardNumber(s string) bool {
	if !manyDigits(s) {
		return false
	}
	for i := 0; i < len(s); {
		if !digit(s[i]) {
			i++
			continue
		}
		groups, end := digitGroups(s, i)
		if !touchesLetter(s, i, end) && groupsHoldCard(groups) {
			return true
		}
		i = end
	}
	return false
}

// manyDigits says whether a text has as many digits as a card number, which few have.
func manyDigits(s string) bool {
	digits := 0
	for i := 0; i < len(s) && digits < cardDigitsMin; i++ {
		if digit(s[i]) {
			digits++
		}
	}
	return digits == cardDigitsMin
}

// digitGroups reads runs of digits that are separated by one blank or dash, from start.
func digitGroups(s string, start int) (groups []string, end int) {
	i := start
	for {
		from := i
		for i < len(s) && digit(s[i]) {
			i++
		}
		groups = append(groups, s[from:i])
		if i+1 >= len(s) || (s[i] != ' ' && s[i] != '-') || !digit(s[i+1]) {
			return groups, i
		}
		i++
	}
}

func groupsHoldCard(groups []string) bool {
	for i := range groups {
		var number strings.Builder
		for _, group := range groups[i:] {
			number.WriteString(group)
			if len(number.String()) > cardDigitsMax {
				break
			}
			if len(number.String()) >= cardDigitsMin && cardScheme(number.String()) && luhn(number.String()) {
				return true
			}
		}
	}
	return false
}

// touchesLetter spares codes such as IBANs, whose digits follow two letters.
func touchesLetter(s string, start, end int) bool {
	before := start > 0 && letter(s[start-1])
	after := end < len(s) && letter(s[end])
	return before || after
}

// cardScheme knows the leading digits and lengths of the schemes in wide use.
func cardScheme(n string) bool {
	for _, scheme := range schemes {
		if scheme.length(len(n)) && scheme.prefix(n) {
			return true
		}
	}
	return false
}

type scheme struct {
	lengths  []int
	from, to string // inclusive range of leading digits, equal in length
}

func (s scheme) length(n int) bool {
	return slices.Contains(s.lengths, n)
}

func (s scheme) prefix(n string) bool {
	lead := n[:len(s.from)]
	return lead >= s.from && lead <= s.to
}

var schemes = []scheme{
	{[]int{13, 16, 19}, "4", "4"},                       // Visa
	{[]int{16}, "51", "55"},                             // Mastercard
	{[]int{16}, "2221", "2720"},                         // Mastercard
	{[]int{15}, "34", "34"},                             // American Express
	{[]int{15}, "37", "37"},                             // American Express
	{[]int{14, 16, 19}, "36", "36"},                     // Diners Club
	{[]int{14, 16, 19}, "300", "305"},                   // Diners Club
	{[]int{14, 16, 19}, "38", "39"},                     // Diners Club
	{[]int{16, 17, 18, 19}, "6011", "6011"},             // Discover
	{[]int{16, 17, 18, 19}, "644", "659"},               // Discover
	{[]int{16, 17, 18, 19}, "3528", "3589"},             // JCB
	{[]int{16, 17, 18, 19}, "62", "62"},                 // UnionPay
	{[]int{13, 14, 15, 16, 17, 18, 19}, "5018", "5038"}, // Maestro
	{[]int{13, 14, 15, 16, 17, 18, 19}, "56", "58"},     // Maestro
	{[]int{13, 14, 15, 16, 17, 18, 19}, "6304", "6304"}, // Maestro
	{[]int{13, 14, 15, 16, 17, 18, 19}, "6759", "6763"}, // Maestro
	{[]int{16, 17, 18, 19}, "2200", "2204"},             // Mir
}

// luhn verifies the check digit of ISO/IEC 7812-1, annex B.
func luhn(n string) bool {
	sum := 0
	for i := range len(n) {
		d := int(n[len(n)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0 && strings.Trim(n, "0") != ""
}

func digit(b byte) bool  { return b >= '0' && b <= '9' }
func letter(b byte) bool { return b|0x20 >= 'a' && b|0x20 <= 'z' }
