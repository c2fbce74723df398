package filter_test

import (
	_ "embed" // for the page that is tested
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem.bank/pkg/filter"
)

//go:embed README.md
var readme string

var relations = &filter.Related{Name: "relations", From: "relation r", Key: "r.customer_id", Of: "customer.customer_id"}

var scores = &filter.Related{Name: "scores", From: "score p", Key: "p.customer_id", Of: "customer.customer_id"}

var documented = slices.Concat(schema, filter.Schema{
	{Name: "birth_date", Column: "birth_date", Kind: filter.Date},
	{Name: "create_time", Column: "created_at", Kind: filter.Time, Required: true},
	{Name: "interests", Column: "interests", Kind: filter.Text, Repeated: filter.JSONArray},
	{Name: "relations.type", Column: "r.type", Kind: filter.Enum, Values: []string{"spouse", "child"}, Related: relations},
	{Name: "relations.weight", Column: "r.weight", Kind: filter.Decimal, Related: relations},
	{Name: "segments.name", Column: "g.segment", Kind: filter.Text, Related: &filter.Related{
		Name: "segments", From: "membership g", Key: "g.customer_id", Of: "customer.customer_id", Value: "name",
	}},
	{Name: "scores.name", Column: "p.score", Kind: filter.Text, Related: scores},
	{Name: "scores.value", Column: "p.value", Kind: filter.Decimal, Related: scores},
	{Name: "rfm.cell", Column: "f.cell", Kind: filter.Text, Related: &filter.Related{
		Name: "rfm", From: "customer_rfm f", Key: "f.customer_id", Of: "customer.customer_id", One: true,
	}},
})

// What the page shows works, in both dialects.
func TestReadmeExamples(t *testing.T) {
	t.Parallel()
	found := regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(readme, -1)
	_, segmented, _ := strings.Cut(readme, "\n## Segments\n")
	segmented, _, _ = strings.Cut(segmented, "\n## ")
	if len(found) < 20 {
		t.Fatalf("only %d examples were found", len(found))
	}
	for _, example := range found {
		if strings.Contains(segmented, example[0]) {
			if _, parameters, err := filter.ClickHouse(example[1], documented, time.Now(), offered...); err != nil || len(parameters) == 0 {
				t.Errorf("%s: %v, %v", example[1], parameters, err)
			}
			continue
		}
		if _, args, err := filter.Postgres(example[1], documented, nil); err != nil || len(args) == 0 && !strings.Contains(example[1], "*") {
			t.Errorf("%s: %v, %v", example[1], args, err)
		}
		if _, _, err := filter.ClickHouse(example[1], documented, time.Now()); err != nil {
			t.Errorf("%s: %v", example[1], err)
		}
	}
	if _, err := filter.ParseOrder("name, create_time desc", documented, "region_id"); err != nil {
		t.Error(err)
	}
}

func TestPostgresOfMany(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		`interests:"golf"`:                             "interests @> to_jsonb($1::text)",
		`NOT interests:*`:                              "(jsonb_array_length(interests) > 0) IS NOT TRUE",
		`relations.type = spouse`:                      "EXISTS (SELECT FROM relation r WHERE r.customer_id = customer.customer_id AND r.type = $1::text)",
		`NOT relations:(type = child AND weight > -1)`: "NOT (EXISTS (SELECT FROM relation r WHERE r.customer_id = customer.customer_id AND (r.type = $1::text AND r.weight > $2::numeric)))",
		`rfm.cell != "555"`:                            "NOT EXISTS (SELECT FROM customer_rfm f WHERE f.customer_id = customer.customer_id AND f.cell = $1::text)",
		`NOT segments:"affluent"`:                      "NOT (EXISTS (SELECT FROM membership g WHERE g.customer_id = customer.customer_id AND g.segment = $1::text))",
		`name = "50%*"`:                                "c.name LIKE $1::text",
		`birth_date > "today"`:                         "birth_date > current_date::date",
		`create_time > "today-1y+7d"`:                  "created_at > (current_date + $1::interval)::timestamptz",
		`create_time < "now-90min"`:                    "created_at < (now() + $1::interval)::timestamptz",
	}
	for text, want := range cases {
		got, _, err := filter.Postgres(text, documented, nil)
		if err != nil || got != want {
			t.Errorf("%s\n gives %s (%v)\n want  %s", text, got, err, want)
		}
	}
}

func TestClickHouse(t *testing.T) {
	t.Parallel()
	asOf := time.Date(2024, 3, 31, 10, 0, 0, 0, time.UTC)
	cases := []struct{ filter, want, value string }{
		{`state != active`, "NOT ifNull(state = {filter_1:String}, false)", "active"},
		{`NOT region_id > 3`, "NOT ifNull(region_id > {filter_1:Int64}, false)", "3"},
		{`birth_date < "today-1m"`, "birth_date < {filter_1:Date32}", "2024-02-29"},
		{`create_time > "now-90min"`, "created_at > {filter_1:DateTime64(6, 'UTC')}", "2024-03-31 08:30:00.000000"},
		{`relations.type = spouse`, "customer.customer_id IN (SELECT r.customer_id FROM relation r WHERE r.type = {filter_1:String})", "spouse"},
		{`name = "50%*"`, "c.name LIKE {filter_1:String}", `50\%%`},
	}
	for _, c := range cases {
		got, parameters, err := filter.ClickHouse(c.filter, documented, asOf)
		if err != nil || got != c.want || len(parameters) != 1 || parameters[0].Value != c.value {
			t.Errorf("%s\n gives %s %v (%v)\n want  %s %s", c.filter, got, parameters, err, c.want, c.value)
		}
	}
}

func TestRefusesOfMany(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		`relations.typ = spouse`:             `did you mean "relations.type"`,
		`relations:(weight = 1 AND state=1)`: "is not a field",
		`relations:spouse`:                   "write relations:*",
		`relations = spouse`:                 "is not a field",
		`interests = golf`:                   "has many values",
		`birth_date < "today-2h"`:            "write now-2h",
		`birth_date < "today-5000y"`:         "more than 1000 years",
		`birth_date < "today-"`:              "is not a relative time",
	}
	for text, want := range cases {
		if _, _, err := filter.Postgres(text, documented, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", text, err, want)
		}
	}
	for text, want := range map[string]string{
		"nam": `did you mean "name"`, "relations.type": "many values", "name, name": "comes twice", "name up": "is not an order",
	} {
		if _, err := filter.ParseOrder(text, documented, "region_id"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("order by %s: error %v, want one with %q", text, err, want)
		}
	}
}

func FuzzRelated(f *testing.F) {
	f.Add(`NOT relations:(type = spouse AND weight > 0.5) OR rfm.cell != "5*" AND interests:x`)
	f.Add(`create_time > "today-1y+7d" AND birth_date < "now-2h"`)
	f.Fuzz(func(t *testing.T, text string) {
		sql, args, err := filter.Postgres(text, documented, nil)
		if err == nil && strings.Count(sql, "$") != len(args) {
			t.Fatalf("%q: %s has %d arguments", text, sql, len(args))
		}
		other, parameters, errOther := filter.ClickHouse(text, documented, time.Unix(0, 0))
		if (err == nil) != (errOther == nil) || strings.Count(other, "{filter_") != len(parameters) {
			t.Fatalf("%q: %s has %d parameters (%v, %v)", text, other, len(parameters), err, errOther)
		}
	})
}

func FuzzParseOrder(f *testing.F) {
	f.Add("name desc, create_time")
	f.Fuzz(func(t *testing.T, text string) {
		order, err := filter.ParseOrder(text, documented, "region_id")
		if err != nil {
			return
		}
		after := &filter.Position{Keys: make([]*string, order.Len())}
		if _, err := order.Steps(after, nil); err != nil {
			t.Fatal(err)
		}
	})
}
