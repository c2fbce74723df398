package rfm

import (
	_ "embed" // the SQL files
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"tandem.bank/services/analytics/internal/kind"
	"tandem.bank/services/analytics/internal/warehouse"
)

var (
	//go:embed sql/stage.sql
	stageSQL string
	//go:embed sql/currency.sql
	currencySQL string
	//go:embed sql/edges.sql
	edgesSQL string
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

// query is a statement with its bound values: no value ever becomes part of the text.
type query struct {
	sql  string
	args []any
}

func named(name string, value any) driver.NamedValue { return clickhouse.Named(name, value) }

func day(t time.Time) string { return t.Format(time.DateOnly) }

// stageQuery aggregates transactions into values of customers.
func stageQuery(id uuid.UUID, s Settings) query {
	condition, kinds := kind.Condition(s.Kinds)
	return query{
		// The partition of transactions is a function of their key.
		sql: strings.Replace(stageSQL, "/*kinds*/", condition, 1) + warehouse.FinalByPartition,
		args: []any{
			named("run_id", id.String()), named("as_of", day(s.AsOf)), named("first_date", day(s.firstDate())), named("kinds", kinds),
		},
	}
}

func currencyQuery(s Settings) query {
	return query{sql: currencySQL, args: []any{named("as_of", day(s.AsOf)), named("first_date", day(s.firstDate()))}}
}

func edgesQuery(id uuid.UUID) query {
	return query{sql: edgesSQL, args: []any{named("run_id", id.String())}}
}

// scoreQuery places customers by the edges of the run.
func scoreQuery(r Run) query {
	args := []any{named("run_id", r.ID.String()), named("as_of", day(r.AsOf))}
	for i := range Bins - 1 {
		number := strconv.Itoa(i + 1)
		args = append(args,
			named("recency_"+number, r.RecencyEdges[i]),
			named("frequency_"+number, r.FrequencyEdges[i]),
			named("monetary_"+number, r.MonetaryEdges[i].String()))
	}
	return query{sql: scoreSQL, args: args}
}

func gridQuery(r Run) query {
	return query{sql: gridSQL, args: []any{named("run_id", r.ID.String()), named("as_of", day(r.AsOf))}}
}

// order is the order of a list of scores.
type order int

const (
	byCustomer order = iota
	bestFirst
)

// pageQuery reads scores after a customer number or a place.
func pageQuery(r Run, by order, after uint64, limit int) query {
	sql := byCustomerSQL
	if by == bestFirst {
		sql = bestFirstSQL
	}
	return query{sql: sql, args: []any{
		named("run_id", r.ID.String()), named("as_of", day(r.AsOf)), named("after", after), named("limit", limit),
	}}
}

// runQuery finds one run, or the newest when id is the zero UUID.
func runQuery(id uuid.UUID) query {
	if id == uuid.Nil {
		return query{sql: strings.Replace(runsSQL, "/*which*/", "1", 1)}
	}
	return query{
		sql:  strings.Replace(runsSQL, "/*which*/", "run_id = {run_id:UUID}", 1),
		args: []any{named("run_id", id.String())},
	}
}

// unpublishedQuery finds runs whose insights did not all go home.
func unpublishedQuery() query {
	return query{sql: strings.Replace(runsSQL, "/*which*/", "insights_published = 0", 1)}
}
