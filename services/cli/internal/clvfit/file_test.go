package clvfit_test

import (
	"fmt"
	"math"
	"math/rand/v2"
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
		"titles of words":     "Total Amount,Order Date,Customer ID\n10.5,2024-01-02,a\n5,2024-03-01,b\n",
		"minutes, slashes":    "id,date,amount\na,2024-01-02 23:59,10.5\nb,2024/03/01 9:05:01.5 +02:00,5\n",
		"numbers of rows":     "\"\",\"Id\",\"Date\",\"Price\"\n\"1\",\"a\",\"2024-01-02\",10.5\n\"2\",\"b\",\"2024-03-01\",5\n",
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

// A file may hold no amounts: then there is only a model of purchases.
func TestReadWithoutAmounts(t *testing.T) {
	t.Parallel()
	for text, layout := range map[string]clvfit.Layout{
		"\"cust\",\"date\"\n\"a\",\"2024-01-02\"\n\"b\",\"2024-03-01\"\n": {},
		"a,2024-01-02\nb,2024-03-01\n":                                    {},
		"a 20240102\nb 20240301\n":                                        {},
		"2024-01-02;x;a\n2024-03-01;y;b\n":                                {Columns: [3]int{3, 1, 0}},
	} {
		p, err := clvfit.Read(strings.NewReader(text), layout)
		if err != nil || p.Amounts || p.Rows != 2 || len(p.Of["a"]) != 1 {
			t.Errorf("%q: %+v, %v", text, p, err)
		}
	}
}

// Without amounts there is a model of purchases; it is the same in any unit of time.
func TestUnitsOfTime(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 1))
	var text strings.Builder
	for customer := range 400 {
		rate, leaves := random.ExpFloat64()/20, random.Float64()/4
		for day := 0.0; day < 700; day += random.ExpFloat64() / rate {
			fmt.Fprintf(&text, "%d,%s\n", customer, time.Date(2020, 1, 1+int(day), 0, 0, 0, 0, time.UTC).Format(time.DateOnly))
			if random.Float64() < leaves {
				break
			}
		}
	}
	p, err := clvfit.Read(strings.NewReader(text.String()), clvfit.Layout{})
	if err != nil {
		t.Fatal(err)
	}
	weeks, err := clvfit.Fit(p, clvfit.Options{Model: "bg_nbd", UnitDays: 7, HorizonWeeks: 52})
	if err != nil || weeks.Spend != nil || weeks.SpendRefused == "" || !weeks.Counts.Converged || weeks.Frequencies[0] != weeks.Customers-weeks.RepeatCustomers {
		t.Fatalf("%+v, %v", weeks, err)
	}
	// In days it is the same model.
	days, err := clvfit.Fit(p, clvfit.Options{Model: "bg_nbd", UnitDays: 1, HorizonWeeks: 52})
	if err != nil || math.Abs(days.ExpectedNew(52)/weeks.ExpectedNew(52)-1) > 1e-6 ||
		math.Abs(days.Counts.Parameters[1].Value/(7*weeks.Counts.Parameters[1].Value)-1) > 1e-4 {
		t.Errorf("%+v in days, %+v in weeks, %v", days.Counts, weeks.Counts, err)
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
		"a\n":                                    "has 1 columns; 3 are needed",
		"a,2024-01-02,1\nb,2024-02-01\n":         "line 2",
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
	result, err := clvfit.Fit(p, clvfit.Options{Model: "bg_nbd", UnitDays: 7, HorizonWeeks: 52})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := result.Print(&out); err != nil || strings.Contains(out.String(), "NaN") || !strings.Contains(out.String(), "NOT converged") {
		t.Errorf("%v\n%s", err, out.String())
	}
}
