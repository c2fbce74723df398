package filter_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"tandem.bank/pkg/filter"
)

// entry is a row of the model: what a filter is about. Nil is NULL.
type entry struct {
	id    int64
	name  string
	state string
	n     *int64
	day   *time.Time
	tags  []string
	items []item
	cell  *string // of the one related record, nil when there is none
}

type item struct {
	kind   string
	weight *int64
}

var (
	items  = &filter.Related{Name: "items", From: "item i", Key: "i.entry_id", Of: "entry.entry_id"}
	insite = &filter.Related{Name: "rfm", From: "rfm r", Key: "r.entry_id", Of: "entry.entry_id", One: true}

	entries = filter.Schema{
		{Name: "entry_id", Column: "entry.entry_id", Kind: filter.Int, Required: true, Indexed: true},
		{Name: "name", Column: "name", Kind: filter.Text},
		{Name: "state", Column: "state", Kind: filter.Enum, Values: []string{"new", "old"}, Required: true},
		{Name: "n", Column: "n", Kind: filter.Decimal},
		{Name: "day", Column: "day", Kind: filter.Date, Indexed: true},
		{Name: "tags", Column: "tags", Kind: filter.Text, Repeated: filter.Array, Required: true},
		{Name: "items.kind", Column: "i.kind", Kind: filter.Text, Related: items},
		{Name: "items.weight", Column: "i.weight", Kind: filter.Int, Related: items},
		{Name: "rfm.cell", Column: "r.cell", Kind: filter.Text, Required: true, Related: insite},
	}

	names = []string{"", "Ann", "bob", `o'br%`, `b\s`, "x_y", "a*c", "ž", "t\tn\n'"}
	kinds = []string{"", "a", "ab", "b"}
	days  = []int{-400, -40, -1, 0, 1, 40}
)

func someOrNil[T any](r *rand.Rand, value T) *T {
	if r.IntN(3) == 0 {
		return nil
	}
	return &value
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// randomEntries are rows with many equal and many missing values.
func randomEntries(r *rand.Rand, today time.Time, count int) []entry {
	out := make([]entry, count)
	for i := range out {
		e := entry{
			id: int64(i + 1), name: pick(r, names), state: pick(r, []string{"new", "old"}), n: someOrNil(r, r.Int64N(4)),
			day: someOrNil(r, today.AddDate(0, 0, pick(r, days))), tags: []string{}, cell: someOrNil(r, pick(r, kinds[1:])),
		}
		for range r.IntN(3) {
			e.tags = append(e.tags, pick(r, names[1:]))
		}
		for range r.IntN(3) {
			e.items = append(e.items, item{pick(r, kinds), someOrNil(r, r.Int64N(3))})
		}
		out[i] = e
	}
	return out
}

// rule is a filter as text and as what it means.
type rule struct {
	text string
	test func(entry) bool
}

// randomRule makes a filter; what is compared with an unknown value is not true, and NOT turns that into true.
func randomRule(r *rand.Rand, today time.Time, depth int) rule {
	switch choice := r.IntN(10); {
	case depth > 0 && choice < 2:
		a, b := randomRule(r, today, depth-1), randomRule(r, today, depth-1)
		return rule{"(" + a.text + " AND " + b.text + ")", func(e entry) bool { return a.test(e) && b.test(e) }}
	case depth > 0 && choice < 4:
		a, b := randomRule(r, today, depth-1), randomRule(r, today, depth-1)
		return rule{"(" + a.text + " OR " + b.text + ")", func(e entry) bool { return a.test(e) || b.test(e) }}
	case depth > 0 && choice < 6:
		a := randomRule(r, today, depth-1)
		return rule{"NOT (" + a.text + ")", func(e entry) bool { return !a.test(e) }}
	default:
		return randomComparison(r, today)
	}
}

func randomComparison(r *rand.Rand, today time.Time) rule {
	switch r.IntN(9) {
	case 0:
		test, text := textRule(r, "name", names)
		return rule{text, func(e entry) bool { return test(&e.name) }}
	case 1:
		not, state := pick(r, []string{"", "!"}), pick(r, []string{"new", "OLD"})
		return rule{"state " + not + "= " + state, func(e entry) bool { return (e.state == strings.ToLower(state)) == (not == "") }}
	case 2:
		test, text := numberRule(r, "n")
		return rule{text, func(e entry) bool { return test(e.n) }}
	case 3:
		return dayRule(r, today)
	case 4:
		tag := pick(r, names)
		return rule{"tags:" + strconv.Quote(tag), func(e entry) bool { return slices.Contains(e.tags, tag) }}
	case 5:
		return rule{"tags:*", func(e entry) bool { return len(e.tags) > 0 }}
	case 6:
		test, text := textRule(r, "items.kind", kinds)
		return rule{text, func(e entry) bool { return slices.ContainsFunc(e.items, func(i item) bool { return test(&i.kind) }) }}
	case 7:
		byKind, kind := textRule(r, "kind", kinds)
		byWeight, weight := numberRule(r, "weight")
		return rule{"items:(" + kind + " AND NOT " + weight + ")", func(e entry) bool {
			return slices.ContainsFunc(e.items, func(i item) bool { return byKind(&i.kind) && !byWeight(i.weight) })
		}}
	default:
		cell := pick(r, kinds[1:])
		if r.IntN(2) == 0 {
			return rule{"rfm.cell != " + cell, func(e entry) bool { return e.cell == nil || *e.cell != cell }}
		}
		return rule{"rfm.cell = " + cell, func(e entry) bool { return e.cell != nil && *e.cell == cell }}
	}
}

func textRule(r *rand.Rand, field string, values []string) (test func(*string) bool, text string) {
	value := pick(r, values)
	switch r.IntN(5) {
	case 0:
		return func(s *string) bool { return *s == value }, fmt.Sprintf("%s = %q", field, strings.ReplaceAll(value, "*", `\*`))
	case 1:
		return func(s *string) bool { return *s != value }, fmt.Sprintf("%s != %q", field, strings.ReplaceAll(value, "*", `\*`))
	case 2:
		return func(s *string) bool { return *s != "" }, field + ":*"
	case 3:
		contained := func(s *string) bool { return strings.Contains(strings.ToLower(*s), strings.ToLower(value)) }
		return contained, fmt.Sprintf("%s:%q", field, value)
	default:
		pattern := pick(r, []string{"a*", "*b", "*o'*", "x_*", "A*n"})
		parts := strings.Split(pattern, "*")
		for i := range parts {
			parts[i] = regexp.QuoteMeta(parts[i])
		}
		form := regexp.MustCompile("^" + strings.Join(parts, ".*") + "$")
		return func(s *string) bool { return form.MatchString(*s) }, fmt.Sprintf(`%s = "%s"`, field, pattern)
	}
}

func numberRule(r *rand.Rand, field string) (test func(*int64) bool, text string) {
	value, operator := r.Int64N(4), pick(r, []string{"=", "!=", "<", "<=", ">", ">=", ":*"})
	if operator == ":*" {
		return func(n *int64) bool { return n != nil }, field + ":*"
	}
	return func(n *int64) bool { return compared(n, value, operator) }, fmt.Sprintf("%s %s %d", field, operator, value)
}

func dayRule(r *rand.Rand, today time.Time) rule {
	offset, operator := pick(r, days), pick(r, []string{"=", "!=", "<", "<=", ">", ">="})
	text := today.AddDate(0, 0, offset).Format(time.DateOnly)
	if r.IntN(2) == 0 {
		text = fmt.Sprintf("today%+dd", offset)
	}
	return rule{fmt.Sprintf("day %s %q", operator, text), func(e entry) bool {
		if e.day == nil {
			return operator == "!="
		}
		number := e.day.Unix()
		return compared(&number, today.AddDate(0, 0, offset).Unix(), operator)
	}}
}

func compared(n *int64, value int64, operator string) bool {
	if n == nil {
		return operator == "!="
	}
	switch operator {
	case "=":
		return *n == value
	case "!=":
		return *n != value
	case "<":
		return *n < value
	case "<=":
		return *n <= value
	case ">":
		return *n > value
	default:
		return *n >= value
	}
}
