package main

import (
	"context"
	"strings"

	"tandem.bank/deploy/e2e/bench/benchkit"
)

// viewGoal is the most that a view may take, as a multiple of the same over the copy.
const viewGoal = 1.5

// question is asked of a view; % is the view.
type question struct{ name, view, sql string }

var questions = []question{
	{
		"turnover by month", "fact_transaction",
		"SELECT toStartOfMonth(business_date) AS m, direction, count(), sum(base_amount) FROM % GROUP BY m, direction",
	},
	{"turnover by branch", "fact_transaction", "SELECT branch_id, sum(base_amount) FROM % GROUP BY branch_id"},
	{
		"customers a month", "fact_transaction",
		"SELECT uniqExact(customer_id) FROM % WHERE business_date >= '2026-05-01' AND business_date < '2026-06-01'",
	},
	{
		"closing balances", "fact_balance_day",
		"SELECT sum(b) FROM (SELECT argMax(balance, business_date) AS b FROM % WHERE business_date <= '2026-05-31' GROUP BY account_id)",
	},
	{"customers by age and income", "dim_customer", "SELECT age_band, income_band, count() FROM % GROUP BY age_band, income_band"},
	{"contacts by channel", "fact_interaction", "SELECT channel, count(), uniqExact(customer_id) FROM % GROUP BY channel"},
}

// view measures a question over a view against the same statement over the copy, which needs no FINAL.
func (b *bench) view(ctx context.Context, q question) ([]benchkit.Result, error) {
	var definition string
	const shown = "SELECT as_select FROM system.tables WHERE database = 'bi' AND name = ?"
	if err := b.Warehouse.QueryRow(ctx, shown, q.view).Scan(&definition); err != nil {
		return nil, err
	}
	plain := strings.NewReplacer("tandem.", "copy.", "FINAL", "").Replace(definition)
	best, err := b.turns(ctx, b.ask(strings.ReplaceAll(q.sql, "%", "bi."+q.view)), b.ask(strings.ReplaceAll(q.sql, "%", "("+plain+")")))
	if err != nil {
		return nil, err
	}
	return against(q.view+", "+q.name+", against a copy without duplicates", best[0], best[1], viewGoal), nil
}
