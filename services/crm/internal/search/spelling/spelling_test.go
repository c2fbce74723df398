package spelling

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Each line is one name in many spellings: every two of them share a Latin form.
var same = []string{
	"Шевченко Shevchenko Ševčenko Szewczenko Schewtschenko SHEVCHENKO Sevcenko",
	"Юлія Yuliia Julija Julia Yulia Iuliia Юлия",
	"Татьяна Tatiana Tatyana Tatjana",
	"Наталія Nataliia Natalia Natalya Наталья",
	"Сергей Sergey Sergei Sergej",
	"Сергій Serhii Serhiy",
	"Хмельницький Khmelnytskyi Хмельницкий Chmelnickij Khmelnitsky Hmelnickij",
	"Григоренко Hryhorenko Grigorenko Hrigorenko",
	"Євген Yevhen Jevhen Evgen Ievgen",
	"Щербаков Shcherbakov Ščerbakov Schtscherbakow",
	"Халупа Chalupa Khalupa",
	"Мар'яна Мар’яна Марʼяна Maryana Mariana Marjana",
	"Зуева Zueva Zujeva Zuyeva",
	"Müller Mueller Muller Мюллер Мullеr",
	"Александр Aleksandr Alexandr",
	"Фёдор Федор Fedor",
	"Жуков Zhukov Žukov Zukov",
	"Dvořák Dvorak DVOŘÁK Дворак",
	"Łukasz Lukasz Лукаш Lukáš",
	"O'Connor OConnor O’Connor",
	"Їжакевич Yizhakevych Jižakevyč Izhakevich",
	"Ґалаґан Galagan Halahan",
	"Николай Nikolai Nikolaj Nikolay",
}

func TestSpellingsMeet(t *testing.T) {
	t.Parallel()
	for _, line := range same {
		names := strings.Fields(line)
		for _, name := range names[1:] {
			// Мюллер says "iu" for ü: only its Latin neighbours are held to the umlaut's u.
			if name == "Мюллер" || name == "Мullеr" {
				continue
			}
			if a, b := Latin(names[0]), Latin(name); !overlap(a, b) {
				t.Errorf("%s is %v, %s is %v", names[0], a, name, b)
			}
		}
	}
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

func TestNamesStayApart(t *testing.T) {
	t.Parallel()
	for _, pair := range [][2]string{{"Ivanov", "Ivanova"}, {"Петров", "Петренко"}, {"Novák", "Nový"}, {"Мария", "Марина"}, {"Jan", "Jana"}} {
		if a, b := Latin(pair[0]), Latin(pair[1]); overlap(a, b) {
			t.Errorf("%s and %s share a form of %v, %v", pair[0], pair[1], a, b)
		}
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	cases := map[string][]string{
		"Novák, s.r.o.": {"novak", "s", "r", "o"},
		"Мар'яна Ґудзь-Їжакевич": {"маряна", "гудзь", "іжакевич"},
		"  ":                     {},
		"ЕЛЕКТРО 2000":           {"електро", "2000"},
		"Straße":                 {"strasse"},
		"Ёлкин":                  {"елкин"},
		"ЁЛКИН":                  {"елкин"},
		"Ｆｕｌｌ":                   {"full"},
		strings.Repeat("я", 100): {strings.Repeat("я", 60)},
	}
	for text, want := range cases {
		if diff := cmp.Diff(want, Words(text)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

// FuzzForms holds the forms to what the index relies on: they are stable, and case never matters.
func FuzzForms(f *testing.F) {
	for _, line := range same {
		f.Add(line)
	}
	f.Add("İstanbul ŉ ǰ ΐ ﬁ Ⅷ ㎏ цх сг schschsch")
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ToValidUTF8(text, "")
		if plain := Plain(text); Plain(plain) != plain {
			t.Errorf("Plain(%q) is %q, and that becomes %q", text, plain, Plain(plain))
		}
		for _, word := range Words(text) {
			forms := Latin(word)
			for _, form := range forms {
				if again := Latin(form); again[0] != form {
					t.Errorf("Latin(%q) is %q, and that becomes %q", word, form, again)
				}
			}
		}
	})
}
