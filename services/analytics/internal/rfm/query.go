package rfm

import (
	_ "embed" // the SQL files
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

// levels are the quantiles that cut into bins.
var levels = map[int]string{3: "1/3, 2/3", 4: "1/4, 2/4, 3/4", 5: "1/5, 2/5, 3/5, 4/5"}

func edgesQuery(r Run) query {
	return query{sql: strings.ReplaceAll(edgesSQL, "/*levels*/", levels[r.Bins]), args: []any{named("run_id", r.ID.String())}}
}

// scoreQuery places customers by the edges of the run.
func scoreQuery(r Run) query {
	monetary := make([]string, len(r.MonetaryEdges))
	for i, edge := range r.MonetaryEdges {
		monetary[i] = edge.String()
	}
	return query{sql: scoreSQL, args: []any{
		named("run_id", r.ID.String()), named("as_of", day(r.AsOf)), named("recency", r.RecencyEdges), named("frequency", r.FrequencyEdges),
		named("monetary", monetary),
	}}
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

// runsQuery reads runs, newest first or as sort says. condition and sort are constants of this package.
func runsQuery(condition, sort string, args ...any) query {
	return query{sql: strings.NewReplacer("/*which*/", condition, "/*order*/", sort).Replace(runsSQL), args: args}
}

const lastFirst = "computed_time DESC, run_id DESC"

// runQuery finds one run, or the newest when id is the zero UUID.
func runQuery(id uuid.UUID) query {
	if id == uuid.Nil {
		return runsQuery("1", lastFirst)
	}
	return runsQuery("run_id = {run_id:UUID}", lastFirst, named("run_id", id.String()))
}

// snapshotQuery finds the runs with equal settings up to a day, the latest first.
func snapshotQuery(key string, until time.Time) query {
	return runsQuery("settings_key = {key:String} AND as_of <= {until:Date}", "as_of DESC, "+lastFirst,
		named("key", key), named("until", day(until)))
}

// unpublishedQuery finds runs whose insights did not all go home.
func unpublishedQuery() query { return runsQuery("insights_published = 0", lastFirst) }
