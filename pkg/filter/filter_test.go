package filter_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"tandem.bank/pkg/filter"
)

var schema = filter.Schema{
	{Name: "state", Column: "state", Kind: filter.Enum, Values: []string{"active", "former"}},
	{Name: "region_id", Column: "region_id", Kind: filter.Int},
	{Name: "individual.birth_date", Column: "birth_date", Kind: filter.Date},
	{Name: "name", Column: "c.name", Kind: filter.Text},
	{Name: "amount", Column: "amount", Kind: filter.Decimal},
}

func TestPostgres(t *testing.T) {
	t.Parallel()
	day := time.Date(1980, 1, 2, 0, 0, 0, 0, time.UTC)
	cases := []struct {
		filter, want string
		args         []any
	}{
		{"", "true", []any{"bound"}},
		{`state = "active"`, "state = $2::text", []any{"bound", "active"}},
		{`state = ACTIVE`, "state = $2::text", []any{"bound", "active"}},
		{`state != active AND region_id >= 3`, "(state IS DISTINCT FROM $2::text AND region_id >= $3::bigint)", []any{"bound", "active", int64(3)}},
		{`NOT individual.birth_date < "1980-01-02"`, "(birth_date < $2::date) IS NOT TRUE", []any{"bound", day}},
		{`name:"o'br" OR name:*`, "(strpos(lower(c.name), lower($2::text)) > 0 OR c.name <> '')", []any{"bound", "o'br"}},
		{`individual.birth_date:*`, "birth_date IS NOT NULL", []any{"bound"}},
		{`amount > 12.5`, "amount > $2::numeric", []any{"bound", decimal.RequireFromString("12.5")}},
	}
	for _, c := range cases {
		got, args, err := filter.Postgres(c.filter, schema, []any{"bound"})
		if err != nil || got != c.want {
			t.Errorf("%s\n gives %s (%v)\n want  %s", c.filter, got, err, c.want)
		}
		if diff := cmp.Diff(c.args, args); diff != "" {
			t.Errorf("%s: arguments %s", c.filter, diff)
		}
	}
}

func TestPostgresRefuses(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		`sate = "active"`:                `did you mean "state"`,
		`state = "actve"`:                `did you mean "active"`,
		`region_id = "three"`:            "is not a whole number",
		`region_id`:                      "comparison is missing",
		`amount > 1e9`:                   `unexpected trailing token TEXT: "e9"`,
		`amount > 1 OR AND state=active`: `at character 15: unexpected token AND: "AND"`,
		`individual.birth_date = 1980`:   "is not a day",
		`state = "active" region_id=1`:   "join terms with AND",
		`(state = "active"`:              "filter:",
		`region_id:3`:                    "can't be searched",
		strings.Repeat("(", 100) + "a=1": "nested deeper",
	}
	for text, want := range cases {
		_, _, err := filter.Postgres(text, schema, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", text, err, want)
		}
	}
}

func FuzzPostgres(f *testing.F) {
	f.Add(`state = "active" AND NOT (region_id > 3 OR name:"x")`)
	f.Fuzz(func(t *testing.T, text string) {
		sql, args, err := filter.Postgres(text, schema, nil)
		if err == nil && strings.Count(sql, "$") != len(args) {
			t.Fatalf("%q: %s has %d arguments", text, sql, len(args))
		}
	})
}
