package clvfit_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tandem.bank/services/cli/internal/clvfit"
)

func TestReadKnowsUsualFiles(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"titles in any order": "amount,customer_id,date\n10.5,a,2024-01-02\n5,b,2024-03-01\n",
		"no titles":           "a,2024-01-02,10.5\nb,2024-03-01,5\n",
		"semicolons, quoted":  "id;date;amount\r\n\"a\";\"2024-01-02\";\"10.5\"\r\n\"b\";\"2024-03-01\";\"5\"\r\n",
		"tabs, plain days":    "a\t20240102\t10.5\nb\t20240301\t5\n",
		"blanks":              " a  20240102   10.5\n b  20240301    5\n",
		"days first, commas":  "id;date;amount\na;02.01.2024;10,5\nb;1.3.2024;5,00\n",
		"with times":          "a,2024-01-02 23:59:59,10.5\nb,2024-03-01T10:00:00+02:00,5\n",
		"a mark of the bytes": "\ufeffid,date,amount\na,2024-01-02,10.5\nb,2024-03-01,5\n",
		"unknown titles":      "who,when,what\na,2024-01-02,10.5\nb,2024-03-01,5\n",
	} {
		p, err := clvfit.Read(strings.NewReader(text), clvfit.Layout{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if p.Rows != 2 || len(p.IDs) != 2 || p.Of["a"][0].Amount != 10.5 || p.Last.Format(time.DateOnly) != "2024-03-01" {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func TestReadNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                       "no purchases",
		"id,date,amount\n":                       "no purchases",
		"a,2024-01-02,1\nb,2024-02-30,1\n":       `line 2: column 2: "2024-02-30" is not a date`,
		"a,2024-01-02,1\nb,2024-02-03,x\n":       `line 2: column 3: "x" is not an amount`,
		"a,2024-01-02,1\n,2024-02-03,1\n":        "line 2: column 1: the id is empty",
		"a,2024-01-02,1\nb,2024-02-03,NaN\n":     `"NaN" is not an amount`,
		"a;2024-01-02;1\nb;2024-02-03;1,029\n":   `"1,029" is not an amount`,
		"a,2024-01-02,1\nb,02/03/2024,1\n":       `"02/03/2024" is not a date`,
		"a b\n":                                  "has 2 columns; 3 are needed",
		"id,date,amount\na,2024-01-02,\"1\" x\n": "line 2",
	} {
		if _, err := clvfit.Read(strings.NewReader(text), clvfit.Layout{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("id,date,amount\na,2024-01-02,10.5\n")
	f.Add(" a  20240102   10.5\n")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := clvfit.Read(strings.NewReader(text), clvfit.Layout{})
		if err == nil && (p.Rows == 0 || len(p.IDs) == 0 || p.Last.Before(p.First)) {
			t.Errorf("%q: %+v", text, p)
		}
	})
}

// Customers who all buy alike tell no parameter: what is not known is a dash, and never NaN.
func TestAllEqual(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	for customer := range 100 {
		for month := 1; month <= 12; month++ {
			fmt.Fprintf(&text, "%d,2020-%02d-01,10\n", customer, month)
		}
	}
	p, err := clvfit.Read(strings.NewReader(text.String()), clvfit.Layout{})
	if err != nil {
		t.Fatal(err)
	}
	result, err := clvfit.Fit(p, clvfit.Options{Model: "bg_nbd", HorizonWeeks: 52})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := result.Print(&out); err != nil || strings.Contains(out.String(), "NaN") || !strings.Contains(out.String(), "NOT converged") {
		t.Errorf("%v\n%s", err, out.String())
	}
}
