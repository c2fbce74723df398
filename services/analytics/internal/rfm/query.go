package rfm

import (
	_ "embed" // the SQL files
	"fmt"
	"strings"

	"github.com/google/uuid"

	"tandem.bank/services/analytics/internal/kind"
	"tandem.bank/services/analytics/internal/warehouse"
)

var (
	//go:embed sql/stage.sql
	stageSQL string
	//go:embed sql/edges.sql
	edgesSQL string
	//go:embed sql/sums.sql
	sumsSQL string
	//go:embed sql/score.sql
	scoreSQL string
	//go:embed sql/grid.sql
	gridSQL string
	//go:embed sql/by_customer.sql
	byCustomerSQL string
	//go:embed sql/best_first.sql
	bestFirstSQL string
	//go:embed sql/runs.sql
	runsSQL string
)

// What every statement needs, by short names.
var named, day = warehouse.Named, warehouse.Day

// stageQuery aggregates transactions into values of customers.
func stageQuery(id uuid.UUID, s Settings) warehouse.Query {
	condition, kinds := kind.Condition(s.Kinds)
	return warehouse.Query{
		// The partition of transactions is a function of their key.
		SQL: strings.Replace(stageSQL, "/*kinds*/", condition, 1) + warehouse.FinalByPartition,
		Args: []any{
			named("run_id", id.String()), named("as_of", day(s.AsOf)), named("first_date", day(s.firstDate())), named("kinds", kinds),
			named("incoming", kind.Incoming),
		},
	}
}

// levels are the quantiles that cut into bins.
var levels = map[int]string{3: "1/3, 2/3", 4: "1/4, 2/4, 3/4", 5: "1/5, 2/5, 3/5, 4/5"}

func edgesQuery(r Run) warehouse.Query {
	return warehouse.Query{SQL: strings.ReplaceAll(edgesSQL, "/*levels*/", levels[r.Bins]), Args: []any{named("run_id", r.ID.String())}}
}

// sumsQuery counts customers by the sum of their bins.
func sumsQuery(r Run) warehouse.Query { return placed(r, sumsSQL) }

// scoreQuery places the customers of a share.
func scoreQuery(r Run, of share) warehouse.Query {
	q := placed(r, scoreSQL)
	q.Args = append(q.Args, named("as_of", day(r.AsOf)), named("least", of.least), named("most", of.most), named("before", of.before))
	return q
}

// placed is a statement about the bins of customers by the edges of the run.
func placed(r Run, sql string) warehouse.Query {
	monetary := make([]string, len(r.MonetaryEdges))
	for i, edge := range r.MonetaryEdges {
		monetary[i] = edge.String()
	}
	sql = strings.NewReplacer(
		"/*recency*/", reached("recency_days <= {recency:Array(UInt32)}[%d]", len(r.RecencyEdges)),
		"/*frequency*/", reached("frequency >= {frequency:Array(UInt64)}[%d]", len(r.FrequencyEdges)),
		"/*monetary*/", reached("monetary >= toDecimal128({monetary:Array(String)}[%d], 4)", len(monetary)),
	).Replace(sql)
	return warehouse.Query{SQL: sql, Args: []any{
		named("run_id", r.ID.String()), named("recency", r.RecencyEdges), named("frequency", r.FrequencyEdges), named("monetary", monetary),
	}}
}

// reached counts the edges that a value reaches, one comparison each: ClickHouse does them many rows at a time, and not so a
// function over an array of edges.
func reached(comparison string, edges int) string {
	terms := make([]string, edges)
	for i := range terms {
		terms[i] = "(" + fmt.Sprintf(comparison, i+1) + ")"
	}
	return strings.Join(terms, " + ")
}

func gridQuery(r Run) warehouse.Query {
	return warehouse.Query{SQL: gridSQL, Args: []any{named("run_id", r.ID.String()), named("as_of", day(r.AsOf))}}
}

// order is the order of a list of scores.
type order int

const (
	byCustomer order = iota
	bestFirst
)

// pageQuery reads scores after a customer number or a place.
func pageQuery(r Run, by order, after uint64, limit int) warehouse.Query {
	sql := byCustomerSQL
	if by == bestFirst {
		sql = bestFirstSQL
	}
	return warehouse.Query{SQL: sql, Args: []any{
		named("run_id", r.ID.String()), named("as_of", day(r.AsOf)), named("after", after), named("limit", limit),
	}}
}
