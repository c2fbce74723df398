package customer

import (
	"slices"
	"strings"
	"unicode"
)

// icao spells Cyrillic letters as passports do: ICAO Doc 9303-3 (2021), section 6.B, in lower case.
var icao = map[rune]string{
	'а': "a", 'б': "b", 'в': "v", 'г': "g", 'ґ': "g", 'д': "d", 'е': "e", 'ё': "e", 'є': "ie", 'ж': "zh", 'з': "z", 'и': "i",
	'і': "i", 'ї': "i", 'й': "i", 'к': "k", 'л': "l", 'м': "m", 'н': "n", 'о': "o", 'п': "p", 'р': "r", 'с': "s", 'т': "t",
	'у': "u", 'ў': "u", 'ф': "f", 'х': "kh", 'ц': "ts", 'ч': "ch", 'ш': "sh", 'щ': "shch", 'ъ': "ie", 'ы': "y", 'ь': "",
	'э': "e", 'ю': "iu", 'я': "ia", 'ђ': "d", 'ј': "j", 'љ': "lj", 'њ': "nj", 'ћ': "c", 'џ': "dz", 'ѕ': "dz", 'ѓ': "g", 'ќ': "k",
}

// ukrainian are the letters that Ukraine spells otherwise (resolution 55 of the Cabinet of Ministers, 2010); ukrainianFirst
// those that are spelt so at the beginning of a word.
var (
	ukrainian      = map[rune]string{'г': "h", 'и': "y", 'х': "kh"}
	ukrainianFirst = map[rune]string{'є': "ye", 'ї': "yi", 'й': "y", 'ю': "yu", 'я': "ya"}
)

// latinName spells a name in Cyrillic in Latin letters; a name without Cyrillic letters gives none.
func latinName(name string, isUkrainian bool) string {
	if !strings.ContainsFunc(name, cyrillic) {
		return ""
	}
	var out strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		lower := unicode.ToLower(r)
		if isUkrainian && apostrophe(r) && i > 0 {
			continue
		}
		spelt, known := spell(runes, i, isUkrainian)
		switch {
		case !known:
			out.WriteRune(r)
		case r == lower:
			out.WriteString(spelt)
		case i+1 < len(runes) && unicode.IsUpper(runes[i+1]) || i+1 == len(runes) && i > 0 && unicode.IsUpper(runes[i-1]):
			out.WriteString(strings.ToUpper(spelt))
		default:
			out.WriteString(capital(spelt))
		}
	}
	return out.String()
}

// spell gives the letters for the n-th one of a name.
func spell(name []rune, n int, isUkrainian bool) (string, bool) {
	r := unicode.ToLower(name[n])
	if isUkrainian {
		if spelt, ok := ukrainianFirst[r]; ok && (n == 0 || !unicode.IsLetter(name[n-1]) && !apostrophe(name[n-1])) {
			return spelt, true
		}
		if r == 'г' && n > 0 && unicode.ToLower(name[n-1]) == 'з' {
			return "gh", true // so that it is not read as ж
		}
		if spelt, ok := ukrainian[r]; ok {
			return spelt, true
		}
	}
	spelt, ok := icao[r]
	return spelt, ok
}

func capital(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func cyrillic(r rune) bool { return unicode.Is(unicode.Cyrillic, r) }

func apostrophe(r rune) bool { return strings.ContainsRune("'’ʼ‘`´", r) }

// latinFields are the names of a customer with their Latin spellings.
func (r *Row) latinFields() [][2]*string {
	return [][2]*string{
		{&r.GivenName, &r.GivenNameLatin},
		{&r.MiddleName, &r.MiddleNameLatin},
		{&r.FamilyName, &r.FamilyNameLatin},
		{&r.LegalName, &r.LegalNameLatin},
	}
}

// spellLatin fills in the Latin spellings that the message left to us. One that we made follows its name.
func (r *Row) spellLatin(old *Row) {
	mine := r.ukrainian()
	var before [][2]*string
	if old != nil {
		before = old.latinFields()
	}
	for i, field := range r.latinFields() {
		name, latin := field[0], field[1]
		made := before != nil && *latin == *before[i][1] && *latin == latinName(*before[i][0], old.ukrainian())
		if *latin == "" || made {
			*latin = latinName(*name, mine)
		}
	}
}

// ukrainian says whether names are spelt as Ukraine does.
func (r *Row) ukrainian() bool {
	if slices.Contains(r.Citizenships, "UA") {
		return true
	}
	return strings.ContainsAny(strings.ToLower(r.GivenName+r.MiddleName+r.FamilyName+r.LegalName), "ґєії")
}
