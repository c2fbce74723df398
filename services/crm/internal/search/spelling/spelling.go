// Package spelling brings names into forms that can be compared whatever script, romanisation or keyboard they were
// written with.
//
// Plain keeps the script: case, diacritics and apostrophes go. Latin is one Latin spelling for Cyrillic and all usual
// romanisations: a skeleton for comparing, not for reading. Шевченко, Shevchenko, Ševčenko, Szewczenko and Schewtschenko
// all become "sevcenko".
package spelling

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Rules is the version of the forms. Who changes what Plain, Latin or Words return, or which names are kept, raises it; crm
// then prepares the stored names again.
const Rules = 2

// wordLengthMax bounds a word, in characters: what is longer is no name.
const wordLengthMax = 60

// apostrophes are all characters that people type for one, and the soft signs of romanisations.
const apostrophes = "'’ʼ‘`´ʹ′ʻʾʿ"

// plainLetters are letters that Unicode does not take apart, and those that other spellings drop.
var plainLetters = strings.NewReplacer(
	"ł", "l", "ø", "o", "đ", "d", "ð", "d", "þ", "th", "ß", "ss", "æ", "ae", "œ", "oe", "ı", "i", "ħ", "h", "ґ", "г",
)

// Words cuts a text into its words in plain form. A run of apostrophes joins what it stands between.
func Words(text string) []string {
	words := strings.FieldsFunc(Plain(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	for i, word := range words {
		words[i] = cut(word)
	}
	return words
}

func cut(word string) string {
	runes := []rune(word)
	return string(runes[:min(len(runes), wordLengthMax)])
}

// Plain folds case and removes diacritics and apostrophes: "Мар'яна Ґудзь" is "маряна гудзь", "Dvořák" is "dvorak".
func Plain(text string) string {
	var out strings.Builder
	for _, r := range norm.NFKD.String(lower(text)) {
		if !unicode.Is(unicode.Mn, r) && !strings.ContainsRune(apostrophes, r) {
			out.WriteRune(r)
		}
	}
	// Some characters come apart into capitals or into letters that the replacer knows: once more makes them stable.
	return plainLetters.Replace(lower(out.String()))
}

// lower is character by character, so that a letter never becomes one with another mark, as the Turkish İ would.
func lower(text string) string {
	return strings.Map(func(r rune) rune { return unicode.ToLower(unicode.ToUpper(r)) }, norm.NFKC.String(text))
}

// Latin returns the Latin forms of one word, the likelier first. There are two where a romanisation is ambiguous: "ch" is
// ч in English and х in Czech.
func Latin(word string) []string {
	text := romanise(word)
	forms := []string{skeleton(text, "c")}
	if strings.Contains(text, "ch") {
		if other := skeleton(text, "h"); !slices.Contains(forms, other) {
			forms = append(forms, other)
		}
	}
	return forms
}

// romanise spells a word in Latin letters.
func romanise(word string) string {
	var out strings.Builder
	for _, r := range Plain(word) {
		if latin, ok := letters[r]; ok {
			out.WriteString(latin)
		} else {
			out.WriteRune(r)
		}
	}
	return out.String()
}

// skeleton applies the folds until nothing changes any more, so that the skeleton of a skeleton is itself.
func skeleton(text, ch string) string {
	fold := folds[ch]
	for {
		next := single(fold.Replace(text))
		if next == text {
			return text
		}
		// Each round only shortens the text or moves letters to others that no fold touches: it comes to an end.
		text = next
	}
}

// single writes doubled letters once: Anna and Ана, Yuliia and Julia are told apart by nobody on the phone.
func single(text string) string {
	var last rune
	return strings.Map(func(r rune) rune {
		if r == last && unicode.IsLetter(r) {
			return -1
		}
		last = r
		return r
	}, text)
}
