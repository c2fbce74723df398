package mapping

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/shopspring/decimal"
)

// plainForm is a number with a decimal point, and with an exponent where a program wrote it; groups of three digits may stand
// apart. Its length is bounded because exact arithmetic on endless numbers is not.
var plainForm = regexp.MustCompile("^[+-]?([0-9]{1,40}|[0-9]{1,3}([, '\u00a0\u202f][0-9]{3}){1,12})(\\.[0-9]{1,40})?([eE][+-]?[0-9]{1,2})?$")

var (
	dropSeparators = strings.NewReplacer(",", "", " ", "", "'", "", "\u00a0", "", "\u202f", "")
	// swapSigns turns 1.234,56 into 1,234.56.
	swapSigns = strings.NewReplacer(".", ",", ",", ".")
)

// placesMost bounds the places that decimal() rounds to.
const placesMost = 40

// plainNumber brings a number into plain form: a point for decimals, nothing between digits, no needless zeros.
func plainNumber(s string, decimalComma bool) (string, error) {
	pointed := s
	if decimalComma {
		pointed = swapSigns.Replace(s)
	}
	if !plainForm.MatchString(pointed) {
		return "", fmt.Errorf("%q is not a number", s)
	}
	value, err := decimal.NewFromString(dropSeparators.Replace(pointed))
	if err != nil {
		return "", fmt.Errorf("%q is not a number", s)
	}
	return value.String(), nil
}
