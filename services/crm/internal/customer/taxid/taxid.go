// Package taxid brings tax ids into one form and checks their check digits, for the countries whose rules are public and
// short. Ids of other countries are taken as they are.
package taxid

import (
	"errors"
	"strings"
)

const lengthMax = 20

// Errors of Normal.
var (
	ErrForm  = errors.New("is not a tax id: letters and digits are expected")
	ErrCheck = errors.New("has wrong check digits, or a length that the country does not use")
)

// rules say whether a number of a country, in its one form, can be right.
var rules = map[string]func(string) bool{"CZ": czech, "PL": polish, "RU": russian, "SK": slovak, "UA": ukrainian}

var separators = strings.NewReplacer(" ", "", "\u00a0", "", "-", "", "/", "", ".", "", "–", "")

// Normal returns a tax id in capitals, without separators and without the country's own prefix.
func Normal(country, number string) (string, error) {
	number = strings.ToUpper(separators.Replace(number))
	if rest := strings.TrimPrefix(number, country); digits(rest) {
		number = rest
	}
	if number == "" || len(number) > lengthMax || strings.ContainsFunc(number, func(r rune) bool { return !letterOrDigit(r) }) {
		return "", ErrForm
	}
	if right, known := rules[country]; known && (!digits(number) || !right(number)) {
		return "", ErrCheck
	}
	return number, nil
}

func letterOrDigit(r rune) bool { return r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' }

func digits(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}

// sum weighs the first digits of a number.
func sum(number string, weights ...int) int {
	total := 0
	for i, w := range weights {
		total += int(number[i]-'0') * w
	}
	return total
}

func last(number string) int { return int(number[len(number)-1] - '0') }

// remainder is that of a decimal number of any length.
func remainder(number string, modulus int) int {
	r := 0
	for _, d := range number {
		r = (r*10 + int(d-'0')) % modulus
	}
	return r
}
