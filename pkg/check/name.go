package check

import (
	"unicode"
	"unicode/utf8"
)

// nameRunesMax bounds names that are kept for ever.
const nameRunesMax = 128

// Name says what is wrong with a name that is to be kept for ever, such as that of a caller; it is empty when nothing is.
func Name(name string) string {
	switch {
	case utf8.RuneCountInString(name) > nameRunesMax:
		return "must be at most 128 characters"
	case HasCardNumber(name):
		return "must not hold a full card number"
	case !utf8.ValidString(name):
		return "must be UTF-8"
	}
	for _, r := range name {
		if !unicode.IsPrint(r) {
			return "must be printable"
		}
	}
	return ""
}
