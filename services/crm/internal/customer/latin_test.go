package customer

import "testing"

func TestLatinName(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name      string
		ukrainian bool
		want      string
	}{
		{"Шевченко", true, "Shevchenko"},
		{"Згурський", true, "Zghurskyi"}, // the examples of the resolution
		{"Юрій", true, "Yurii"},
		{"Їжакевич", true, "Yizhakevych"},
		{"Мар'яна", true, "Mariana"},
		{"Єнакієве", true, "Yenakiieve"},
		{"ЩЕРБУХИ", true, "SHCHERBUKHY"},
		{"Гайова-Ярошенко", true, "Haiova-Yaroshenko"},
		{"Щербаков", false, "Shcherbakov"},
		{"Фёдор", false, "Fedor"},
		{"Подъячев", false, "Podieiachev"},
		{"Дмитрий", false, "Dmitrii"},
		{"Петр Dvořák", false, "Petr Dvořák"},
		{"Dvořák", false, ""},
		{"", true, ""},
	}
	for _, c := range cases {
		if got := latinName(c.name, c.ukrainian); got != c.want {
			t.Errorf("%s is %q, want %q", c.name, got, c.want)
		}
	}
}

func TestSpellLatin(t *testing.T) {
	t.Parallel()
	row := Row{GivenName: "Тарас", FamilyName: "Григоренко", Citizenships: []string{"UA"}}
	row.spellLatin(nil)
	if row.GivenNameLatin != "Taras" || row.FamilyNameLatin != "Hryhorenko" {
		t.Errorf("spelt %q %q", row.GivenNameLatin, row.FamilyNameLatin)
	}
	renamed := row
	renamed.FamilyName = "Шевченко"
	renamed.spellLatin(&row)
	if renamed.FamilyNameLatin != "Shevchenko" {
		t.Errorf("the spelling stays behind its name: %q", renamed.FamilyNameLatin)
	}
	given := renamed
	given.FamilyNameLatin = "Schewtschenko"
	given.spellLatin(&renamed)
	later := given
	later.FamilyName = "Шевченко-Іваненко"
	later.spellLatin(&given)
	if given.FamilyNameLatin != "Schewtschenko" || later.FamilyNameLatin != "Schewtschenko" {
		t.Errorf("a given spelling becomes %q, then %q", given.FamilyNameLatin, later.FamilyNameLatin)
	}
}
