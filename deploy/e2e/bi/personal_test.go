package bi

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// numbered are columns of the generated files that single people or accounts out by themselves.
var numbered = map[string][]string{
	"customers":    {"phone", "email", "registration_number", "postal_code", "tax_id", "document_number"},
	"accounts":     {"number"},
	"cards":        {"token"},
	"contracts":    {"counterparty_account"},
	"transactions": {"counterparty_account"},
}

// Nothing that was planted or that singles people out is in any value of any view.
func TestNoPersonalValues(t *testing.T) {
	t.Parallel()
	secrets := map[string]string{}
	for file, columns := range numbered {
		rows, err := readCSV(filepath.Join(star.folder(), file+".csv"))
		if err != nil {
			t.Fatal(err)
		}
		for i, name := range rows[0] {
			for _, wanted := range columns {
				if name != wanted {
					continue
				}
				for _, row := range rows[1:] {
					if value := strings.TrimPrefix(row[i], "+420"); len(value) > 6 {
						secrets[value] = file + "." + name
					}
				}
			}
		}
	}
	if len(secrets) < 300 {
		t.Fatalf("only %d numbers to look for", len(secrets))
	}
	for _, view := range star.views(t) {
		text := star.must(t, "bi", "SELECT * FROM bi."+view+" FORMAT TSV")
		if strings.Contains(strings.ToLower(text), strings.ToLower(canary)) {
			at := strings.Index(strings.ToLower(text), strings.ToLower(canary))
			t.Errorf("%s says %q", view, text[max(0, at-40):min(len(text), at+40)])
		}
		values := map[string]bool{}
		for _, value := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("\t\n,[]{}' ", r) }) {
			values[value] = true
		}
		for secret, source := range secrets {
			if values[secret] || values["+420"+secret] {
				t.Errorf("%s says %s, which is in %s", view, secret, source)
			}
		}
	}
}

// The canaries did arrive where they belong: otherwise not finding them means nothing.
func TestCanariesAreInThePostgres(t *testing.T) {
	t.Parallel()
	if err := star.tandem(t.Context(), "customer", "360", "demo/C1"); err != nil {
		t.Fatal(err)
	}
	rows, err := readCSV(filepath.Join(star.folder(), "customers.csv"))
	if err != nil || !strings.Contains(strings.Join(rows[1], " "), canary) {
		t.Fatalf("%v, %v", rows[1], err)
	}
}

// No view shows a birth date: the bank's own records begin long after its customers were born.
func TestNoBirthDates(t *testing.T) {
	t.Parallel()
	rows, err := readCSV(filepath.Join(star.folder(), "customers.csv"))
	if err != nil {
		t.Fatal(err)
	}
	born := map[string]bool{}
	for i, name := range rows[0] {
		for _, row := range rows[1:] {
			if day, err := time.Parse(time.DateOnly, row[i]); name == "birth_date" && err == nil && day.Year() < 1990 {
				born[row[i]] = true
			}
		}
	}
	if len(born) < 20 {
		t.Fatalf("only %d birth dates", len(born))
	}
	for _, view := range star.views(t) {
		for value := range strings.FieldsSeq(star.must(t, "bi", "SELECT * FROM bi."+view+" FORMAT TSV")) {
			if born[value] {
				t.Errorf("%s says %s, on which a customer was born", view, value)
				break
			}
		}
	}
}
