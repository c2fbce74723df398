package clvfit_test

import (
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
