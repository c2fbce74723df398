package spelling

import "strings"

// letters spells the Cyrillic letters that Plain leaves, straight as the folds below would have it. Their sounds are those
// that passports of Ukraine (2010), Russia (ICAO 9303), Belarus, Bulgaria and Serbia agree on.
var letters = map[rune]string{
	'а': "a", 'б': "b", 'в': "v", 'г': "h", 'д': "d", 'е': "e", 'є': "e", 'ж': "z", 'з': "z", 'и': "i", 'і': "i",
	'к': "k", 'л': "l", 'м': "m", 'н': "n", 'о': "o", 'п': "p", 'р': "r", 'с': "s", 'т': "t", 'у': "u", 'ф': "f",
	'х': "h", 'ц': "c", 'ч': "c", 'ш': "s", 'щ': "sc", 'ъ': "", 'ы': "i", 'ь': "", 'э': "e", 'ю': "iu", 'я': "ia",
	'ђ': "d", 'ј': "i", 'љ': "l", 'њ': "n", 'ћ': "c", 'џ': "dz", 'ѕ': "dz",
}

// folds bring romanisations together; a replacer takes the first pair that fits, so longer ones come first. The key says
// what "ch" stands for.
var folds = map[string]*strings.Replacer{"c": replacer("c"), "h": replacer("h")}

func replacer(ch string) *strings.Replacer {
	return strings.NewReplacer(
		// ч, щ, ш, ж, ц: English, German, Polish and Czech spellings, down to those that lost their marks.
		"schtsch", "sc", "shch", "sc", "szcz", "sc", "tsch", "c", "sch", "s", "tch", "c", "sh", "s", "sz", "s",
		"cz", "c", "ch", ch, "zh", "z", "ts", "c", "tz", "c",
		// х, г, ґ: Hryhorenko, Grigorenko and Khmelnytskyi, Hmelnickij.
		"kh", "h", "gh", "h", "g", "h",
		"ck", "k", "ks", "x", "ph", "f", "th", "t", "qu", "kv", "q", "k", "w", "v",
		// е, є, и, і, ї, й, ы and я, ю: y, i and j are one letter; "ye" and "ie" are what е says.
		"ie", "e", "je", "e", "ye", "e", "y", "i", "j", "i",
		// Umlauts that were written out.
		"ae", "a", "oe", "o", "ue", "u",
	)
}
