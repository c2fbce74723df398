package filter_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"pgregory.net/rapid"

	"tandem.bank/pkg/filter"
	"tandem.bank/pkg/testkit"
)

// fact is a row of the property test; nil is NULL.
type fact struct {
	id     uint64
	amount *int64
	state  string
	born   *time.Time
	tags   []string
}

// evaluator is an expression, and what it means for a row among all rows. It knows nothing of the compiler.
type evaluator interface {
	text() string
	holds(row fact, all []fact) bool
}

type (
	both struct {
		operator string
		parts    []evaluator
	}
	negation   struct{ inner evaluator }
	comparison struct {
		written string
		test    func(fact) bool
	}
	share struct {
		top     bool
		percent int
	}
)

func (b both) text() string {
	parts := make([]string, len(b.parts))
	for i, part := range b.parts {
		parts[i] = part.text()
	}
	return "(" + strings.Join(parts, " "+b.operator+" ") + ")"
}

func (b both) holds(row fact, all []fact) bool {
	for _, part := range b.parts {
		if part.holds(row, all) != (b.operator == "AND") {
			return b.operator == "OR"
		}
	}
	return b.operator == "AND"
}

func (n negation) text() string                    { return "NOT (" + n.inner.text() + ")" }
func (n negation) holds(row fact, all []fact) bool { return !n.inner.holds(row, all) }
func (c comparison) text() string                  { return c.written }
func (c comparison) holds(row fact, _ []fact) bool { return c.test(row) }

func (s share) text() string {
	name := "bottom"
	if s.top {
		name = "top"
	}
	return fmt.Sprintf("%s(amount, %d%%)", name, s.percent)
}

// holds counts who is better: among the best tenth of ten is who has nobody better.
func (s share) holds(row fact, all []fact) bool {
	if row.amount == nil {
		return false
	}
	known, better := 0, 0
	for _, other := range all {
		if other.amount == nil {
			continue
		}
		known++
		if s.top && *other.amount > *row.amount || !s.top && *other.amount < *row.amount {
			better++
		}
	}
	return 100*better < s.percent*known
}

var (
	agreeToday = time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC)
	agreeTags  = []string{"a", "b", "c%"}
	agreeList  = filter.Schema{
		{Name: "id", Column: "id", Kind: filter.Int, Required: true},
		{Name: "amount", Column: "amount", Kind: filter.Decimal},
		{Name: "state", Column: "state", Kind: filter.Enum, Values: []string{"new", "old"}},
		{Name: "born", Column: "born", Kind: filter.Date},
		{Name: "tags", Column: "tags", Kind: filter.Text, Repeated: filter.Array, Required: true},
	}
)

func drawFacts(t *rapid.T, batch uint64) []fact {
	out := make([]fact, rapid.IntRange(1, 25).Draw(t, "rows"))
	for i := range out {
		row := fact{id: batch*100 + uint64(i), state: rapid.SampledFrom([]string{"", "new", "old"}).Draw(t, "state"), tags: []string{}}
		if rapid.IntRange(0, 3).Draw(t, "known") > 0 {
			row.amount = new(rapid.Int64Range(-3, 5).Draw(t, "amount"))
		}
		if rapid.Bool().Draw(t, "born") {
			row.born = new(agreeToday.AddDate(-rapid.IntRange(0, 3).Draw(t, "age"), 0, 0))
		}
		for _, tag := range agreeTags {
			if rapid.Bool().Draw(t, tag) {
				row.tags = append(row.tags, tag)
			}
		}
		out[i] = row
	}
	return out
}

func drawExpression(t *rapid.T, depth int) evaluator {
	choice := rapid.IntRange(0, 9).Draw(t, "node")
	switch {
	case depth > 0 && choice < 4:
		parts := make([]evaluator, rapid.IntRange(2, 3).Draw(t, "parts"))
		for i := range parts {
			parts[i] = drawExpression(t, depth-1)
		}
		return both{rapid.SampledFrom([]string{"AND", "OR"}).Draw(t, "operator"), parts}
	case depth > 0 && choice < 6:
		return negation{drawExpression(t, depth-1)}
	default:
		return drawLeaf(t)
	}
}

func drawLeaf(t *rapid.T) evaluator {
	low := rapid.Int64Range(-3, 5).Draw(t, "value")
	tag := rapid.SampledFrom(agreeTags).Draw(t, "tag")
	age := rapid.IntRange(0, 3).Draw(t, "years")
	operator := rapid.SampledFrom([]string{"=", "!=", "<", "<=", ">", ">="}).Draw(t, "comparison")
	switch rapid.IntRange(0, 8).Draw(t, "leaf") {
	case 0:
		return share{rapid.Bool().Draw(t, "top"), rapid.IntRange(1, 99).Draw(t, "percent")}
	case 1:
		return comparison{`segment("odd")`, func(f fact) bool { return f.id%2 == 1 }}
	case 2:
		return comparison{`segment("positive")`, func(f fact) bool { return f.amount != nil && *f.amount > 0 }}
	case 3:
		high := low + rapid.Int64Range(0, 3).Draw(t, "width")
		return comparison{
			fmt.Sprintf("between(amount, %d, %d)", low, high),
			func(f fact) bool { return f.amount != nil && *f.amount >= low && *f.amount <= high },
		}
	case 4:
		return comparison{
			fmt.Sprintf("in(amount, %d, %d)", low, -low), func(f fact) bool { return f.amount != nil && (*f.amount == low || *f.amount == -low) },
		}
	case 5:
		return comparison{"tags:" + strconv.Quote(tag), func(f fact) bool { return slices.Contains(f.tags, tag) }}
	case 6:
		return comparison{fmt.Sprintf(`born %s "today-%dy"`, operator, age), func(f fact) bool {
			if f.born == nil {
				return operator == "!="
			}
			return compared(new(f.born.Unix()), agreeToday.AddDate(-age, 0, 0).Unix(), operator)
		}}
	case 7:
		return comparison{"state:*", func(f fact) bool { return f.state != "" }}
	default:
		return comparison{fmt.Sprintf("amount %s %d", operator, low), func(f fact) bool { return compared(f.amount, low, operator) }}
	}
}

// agreeing compiles the functions over the rows of a batch.
func agreeing(batch string) []filter.Function {
	out := slices.Clone(offered)
	out[0].Compile = func(c filter.Call) (string, error) {
		return map[string]string{"odd": "id % 2 = 1", "positive": "amount > 0"}[c.Text], nil
	}
	quantile := func(c filter.Call) (string, error) {
		order, comparison := "arraySort", "<="
		if c.Name == "top" {
			order, comparison = "arrayReverseSort", ">="
		}
		place := "intDiv(count(amount) * toUInt64(" + c.Bind(filter.Decimal, c.Percent) + ") + 99, 100)"
		return "amount " + comparison + " (SELECT " + order + "(groupArray(amount))[" + place + "] FROM fact WHERE batch = " + batch + ")", nil
	}
	out[1].Compile, out[2].Compile = quantile, quantile
	return out
}

// Random expressions over random rows give in ClickHouse what they mean, as a whole and clause by clause.
func TestClickHouseAgrees(t *testing.T) {
	t.Parallel()
	conn := testkit.ClickHouseConn(t)
	err := conn.Exec(t.Context(), `CREATE TABLE fact (batch UInt64, id UInt64, amount Nullable(Decimal(24, 4)), state LowCardinality(String),
born Nullable(Date32), tags Array(String)) ENGINE = Memory`)
	if err != nil {
		t.Fatal(err)
	}
	var batch uint64
	rapid.Check(t, func(r *rapid.T) {
		batch++
		rows := drawFacts(r, batch)
		insertFacts(t, conn, batch, rows)
		for range 3 {
			agree(t, r, conn, batch, rows, drawExpression(r, 3))
		}
	})
}

func insertFacts(t *testing.T, conn driver.Conn, batch uint64, rows []fact) {
	t.Helper()
	insert, err := conn.PrepareBatch(t.Context(), "INSERT INTO fact")
	if err != nil {
		t.Fatal(err)
	}
	defer insert.Close() //nolint:errcheck // sent below
	for _, f := range rows {
		var amount *string
		if f.amount != nil {
			amount = new(strconv.FormatInt(*f.amount, 10))
		}
		if err := insert.Append(batch, f.id, amount, f.state, f.born, f.tags); err != nil {
			t.Fatal(err)
		}
	}
	if err := insert.Send(); err != nil {
		t.Fatal(err)
	}
}

func agree(t *testing.T, r *rapid.T, conn driver.Conn, batch uint64, rows []fact, expression evaluator) {
	t.Helper()
	statement := filter.NewStatement(agreeToday.Add(15*time.Hour), agreeing(strconv.FormatUint(batch, 10))...)
	whole, err := statement.Condition(expression.text(), agreeList)
	if err != nil {
		r.Fatalf("%s: %v", expression.text(), err)
	}
	root, err := statement.Clauses(expression.text(), agreeList)
	if err != nil {
		r.Fatalf("%s: %v", expression.text(), err)
	}
	leaves := root.Leaves()
	columns := make([]string, len(leaves))
	for i, leaf := range leaves {
		columns[i] = "toBool(" + leaf.Condition + ")"
	}
	args := []any{clickhouse.Named("batch", batch)}
	for _, p := range statement.Parameters() {
		args = append(args, clickhouse.Named(p.Name, p.Value))
	}
	found, err := conn.Query(t.Context(), "SELECT id, toBool(ifNull("+whole+", false)), ["+strings.Join(columns, ", ")+
		"] FROM fact WHERE batch = {batch:UInt64} ORDER BY id", args...)
	if err != nil {
		r.Fatalf("%s\n as %s: %v", expression.text(), whole, err)
	}
	defer func() { _ = found.Close() }()
	for _, row := range rows {
		var id uint64
		var got bool
		var parts []bool
		if !found.Next() || found.Scan(&id, &got, &parts) != nil {
			r.Fatalf("%s gives too few rows: %v", expression.text(), found.Err())
		}
		values := map[*filter.Clause]bool{}
		for i, leaf := range leaves {
			values[leaf] = parts[i]
		}
		if want := expression.holds(row, rows); id != row.id || got != want || root.Holds(values) != want {
			r.Fatalf("%s\n as %s\n gives %v, clause by clause %v; want %v for %+v", expression.text(), whole, got, root.Holds(values), want, row)
		}
	}
}
