package filter_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem.bank/pkg/filter"
)

// offered are functions in the manner of segments.
var offered = []filter.Function{
	{
		Name: "segment", Takes: []filter.Argument{filter.ArgumentText}, Usage: `segment("name")`,
		Compile: func(c filter.Call) (string, error) {
			if c.Text != "young" && c.Text != "rich" {
				return "", fmt.Errorf("there is no segment %q; did you mean %q?", c.Text, filter.Nearest(c.Text, []string{"young", "rich"}))
			}
			return "member(" + c.Bind(filter.Text, c.Text) + ")", nil
		},
	},
	{Name: "top", Takes: []filter.Argument{filter.ArgumentField, filter.ArgumentPercent}, Usage: "top(amount, 10%)", Compile: compileShare},
	{Name: "bottom", Takes: []filter.Argument{filter.ArgumentField, filter.ArgumentPercent}, Usage: "bottom(amount, 10%)", Compile: compileShare},
}

func compileShare(c filter.Call) (string, error) {
	if c.Field.Kind != filter.Int && c.Field.Kind != filter.Decimal {
		return "", errors.New("only numbers have the greatest and the least")
	}
	return c.Name + "(" + c.Field.Column + ", " + c.Bind(filter.Decimal, c.Percent) + ")", nil
}

func TestFunctions(t *testing.T) {
	t.Parallel()
	asOf := time.Date(2024, 3, 31, 10, 0, 0, 0, time.UTC)
	cases := []struct {
		filter, want string
		values       []string
	}{
		{`segment("young")`, "member({filter_1:String})", []string{"young"}},
		{`segment(young)`, "member({filter_1:String})", []string{"young"}},
		{`NOT segment("young") AND region_id = 1`, "(NOT ifNull(member({filter_1:String}), false) AND region_id = {filter_2:Int64})", []string{"young", "1"}},
		{`top(amount, 10%)`, "top(c.amount, {filter_1:Decimal(38, 4)})", []string{"10"}},
		{`top( amount ,0.5% ) OR -bottom(region_id, 5 %)`, "", nil},
		{`top(amount, 0.5% ) OR -bottom(region_id, 5%)`, "(top(c.amount, {filter_1:Decimal(38, 4)}) OR NOT ifNull(bottom(region_id, {filter_2:Decimal(38, 4)}), false))", []string{"0.5", "5"}},
		{`in(state, active, "former")`, "(state = {filter_1:String} OR state = {filter_2:String})", []string{"active", "former"}},
		{`between(individual.birth_date, "1980-01-01", "today-18y")`, "(birth_date >= {filter_1:Date32} AND birth_date <= {filter_2:Date32})", []string{"1980-01-01", "2006-03-31"}},
		{`name = "100%" OR name = '5%)'`, "(c.name = {filter_1:String} OR c.name = {filter_2:String})", []string{"100%", "5%)"}},
	}
	list := slices.Clone(schema)
	list[4].Column = "c.amount"
	for _, c := range cases {
		got, parameters, err := filter.ClickHouse(c.filter, list, asOf, offered...)
		if c.want == "" {
			if err == nil {
				t.Errorf("%s was taken as %s", c.filter, got)
			}
			continue
		}
		values := make([]string, len(parameters))
		for i, p := range parameters {
			values[i] = p.Value
		}
		if err != nil || got != c.want || !slices.Equal(values, c.values) {
			t.Errorf("%s\n gives %s %v (%v)\n want  %s %v", c.filter, got, values, err, c.want, c.values)
		}
	}
}

// Every refusal says where, why, and what may have been meant.
func TestFunctionsRefuse(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		`state = active AND segmnt("young")`:  `at character 20: "segmnt" is not a function of this list; did you mean "segment"?`,
		`segment("yuong")`:                    `at character 9: segment: there is no segment "yuong"; did you mean "young"?`,
		`segment()`:                           `segment takes 1 arguments: write segment("name")`,
		`segment("")`:                         `a text is missing`,
		`segment("a", "b")`:                   `takes 1 arguments`,
		`segment("young") = true`:             `a function is true or false by itself`,
		`top(amont, 10%)`:                     `at character 5: "amont" is not a field of this list; did you mean "amount"?`,
		`top(amount, 10)`:                     `at character 13: a percentage is missing: write top(amount, 10%)`,
		`top(amount, "10%")`:                  `a percentage is missing`,
		`top(amount, 100%)`:                   `above 0 % and below 100 %`,
		`top(amount, 0%)`:                     `above 0 % and below 100 %`,
		`top(amount, -5%)`:                    `above 0 % and below 100 %`,
		`top(state, 10%)`:                     `at character 12: top: only numbers`,
		`top("amount", 10%)`:                  `a field is missing`,
		`top(10%, amount)`:                    `a field is missing`,
		`amount > 10%`:                        `at character 12: a percentage stands in functions only`,
		`in(region_id, 1, 5%)`:                `at character 19: a percentage stands in functions only`,
		`top(amount 10%)`:                     `at character 4: unexpected trailing token (; arguments of a function are separated by commas`,
		`in(region_id)`:                       `write in(field, value, value)`,
		`in(region_id, x)`:                    `at character 15: region_id: "x" is not a whole number`,
		`between(region_id, 1)`:               `write between(field, lowest, highest)`,
		`between(state, active, former) `:     ``,
		`žluť = 1 OR nam = "x"`:               `at character 13: "nam" is not a field of this list; did you mean "name"?`,
		`nam=1 AND (stat=2 OR region_id=x)`:   `; filter: at character 12: "stat" is not a field of this list; did you mean "state"?; filter: at character 22: region_id`,
		`relations:(top(weight, 10%))`:        `can't stand inside relations:(…)`,
		`AND((state = active))`:               `"AND" is not a function`,
		`NOT()`:                               `"NOT" is not a function`,
		`state = active AND`:                  `at character 15`,
		`  (state = active`:                   `at character 18: expected )`,
		`state = "active`:                     `at character 9: unterminated string`,
		`segment("young") AND top(amount 5%)`: `at character 25`,
	}
	list := slices.Concat(filter.Schema{{Name: "žluť", Column: "z", Kind: filter.Int}}, documented)
	for text, want := range cases {
		_, _, err := filter.ClickHouse(text, list, time.Unix(0, 0), offered...)
		if want == "" {
			if err != nil {
				t.Errorf("%s: %v", text, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v\n want one with %q", text, err, want)
		}
	}
	if _, _, err := filter.Postgres(`segment("young")`, schema, nil); err == nil || !strings.Contains(err.Error(), "it has in, between") {
		t.Errorf("lists without functions say %v", err)
	}
}

func TestClauses(t *testing.T) {
	t.Parallel()
	statement := filter.NewStatement(time.Unix(0, 0), offered...)
	root, err := statement.Clauses(` state = active AND (top(amount, 2.5%) OR region_id  >= 3 OR segment( 'young' )) AND NOT name:"AND )" AND in(region_id, 1, 2)`, schema)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	draw(&out, root, "")
	want := `AND
  state = active | state active 
  OR
    top(amount, 2.5%) | amount 2.5% top
    region_id  >= 3 | region_id 3 
    segment( 'young' ) |  young segment
  NOT
    name:"AND )" | name AND ) 
  in(region_id, 1, 2) | region_id  
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
	if got := root.Parts[0].Condition; got != "ifNull(state = {filter_1:String}, false)" {
		t.Errorf("the first clause is %s", got)
	}
	leaves := map[*filter.Clause]bool{}
	for _, leaf := range root.Leaves() {
		leaves[leaf] = leaf.Field != "name" && leaf.Function == ""
	}
	if !root.Holds(leaves) {
		t.Error("a tree of true clauses does not hold")
	}
	leaves[root.Parts[0]] = false
	if root.Holds(leaves) {
		t.Error("a tree with a false clause holds")
	}
	if got := filter.Texts(`segment(a) OR NOT (segment("b") AND name = segment AND segment("a"))`, "segment"); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("it refers to %v", got)
	}
	// What stands inside the brackets of a group is asked for as what stands outside.
	if got := filter.Fields(`NOT accounts:(number = "CZ*" AND (role = owner OR state = x)) AND name:nov AND cards:*`); !slices.Equal(got,
		[]string{"accounts", "accounts.number", "accounts.role", "accounts.state", "name", "cards"}) {
		t.Errorf("fields in a group: %q", got)
	}
	if got := filter.Fields(`in(state, active) AND top(amount, 10%) OR between(name, a, b)`); !slices.Equal(got, []string{"state", "amount", "name"}) {
		t.Errorf("it asks for %v", got)
	}
}

func draw(out *strings.Builder, c *filter.Clause, indent string) {
	if c.Operator == filter.Leaf {
		fmt.Fprintf(out, "%s%s | %s %s %s\n", indent, c.Text, c.Field, c.Value, c.Function)
		return
	}
	fmt.Fprintf(out, "%s%s\n", indent, c.Operator)
	for _, part := range c.Parts {
		draw(out, part, indent+"  ")
	}
}

// Whatever is written, the tree and the condition are refused or taken together, and leaves are pieces of the text.
func FuzzClauses(f *testing.F) {
	f.Add(`state = active AND (top(amount, 2.5%) OR segment("young")) AND NOT in(region_id, 1, 2)`)
	f.Add(`AND((state = active)) OR NOT() OR between(region_id, -1, 5%)`)
	f.Add(`name = "5%" AND region_id > 5% OR FUZZY(a, b)`)
	f.Fuzz(func(t *testing.T, text string) {
		_, parameters, err := filter.ClickHouse(text, documented, time.Unix(0, 0), offered...)
		statement := filter.NewStatement(time.Unix(0, 0), offered...)
		root, errTree := statement.Clauses(text, documented)
		if (err == nil) != (errTree == nil) {
			t.Fatalf("%q: %v and %v", text, err, errTree)
		}
		filter.Fields(text)
		filter.Texts(text, "segment")
		if err != nil {
			return
		}
		if !slices.Equal(parameters, statement.Parameters()) {
			t.Fatalf("%q: %v and %v", text, parameters, statement.Parameters())
		}
		for _, leaf := range root.Leaves() {
			if leaf.Text == "" || !strings.Contains(text, leaf.Text) {
				t.Fatalf("%q has no %q", text, leaf.Text)
			}
		}
	})
}
