package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// tables of the star schema that Postgres gets, with the columns that the reports need.
var tables = []struct{ name, columns, from string }{
	{"region", "region_id bigint PRIMARY KEY, name text", "bi.dim_region"},
	{"branch", "branch_id bigint PRIMARY KEY, name text", "bi.dim_branch"},
	{"manager", "manager_id bigint PRIMARY KEY", "bi.dim_manager"},
	{"product", "product_id bigint PRIMARY KEY, name text, family text", "bi.dim_product"},
	{
		"customer", "customer_id bigint PRIMARY KEY, kind text, state text, state_since date, customer_since date, branch_id bigint",
		"bi.dim_customer",
	},
	{"account", "account_id bigint PRIMARY KEY, customer_id bigint, product_id bigint, branch_id bigint, opened date, closed date", "bi.dim_account"},
	{
		"card", "card_id bigint PRIMARY KEY, customer_id bigint, product_id bigint, branch_id bigint, state text, state_since date, " +
			"issued date, expiry date", "bi.dim_card",
	},
	{
		"contract", "contract_id bigint PRIMARY KEY, customer_id bigint, product_id bigint, branch_id bigint, manager_id bigint, region_id bigint, " +
			"business_date date, closed date, state text, base_amount numeric", "bi.fact_contract",
	},
	{
		"transaction", "transaction_id bigint PRIMARY KEY, account_id bigint, customer_id bigint, product_id bigint, business_date date, " +
			"direction text, base_amount numeric", "bi.fact_transaction",
	},
	{
		"balance_day", "account_id bigint, business_date date, product_id bigint, base_balance numeric, PRIMARY KEY (account_id, business_date)",
		"bi.fact_balance_day",
	},
	{"interaction", "interaction_id bigint PRIMARY KEY, customer_id bigint, business_date date, channel text", "bi.fact_interaction"},
	{
		"service_quality", "interaction_id bigint PRIMARY KEY, business_date date, kind text, class text, is_open int, hours_to_answer float8, " +
			"hours_to_resolve float8, within_service_level int, satisfaction int", "bi.fact_service_quality",
	},
	{"rfm", "as_of date, customer_id bigint, cell text, PRIMARY KEY (as_of, customer_id)", "bi.fact_rfm WHERE is_newest"},
	{
		"clv", "as_of date, customer_id bigint, kind text, branch_id bigint, base_historic numeric, base_predictive numeric, " +
			"PRIMARY KEY (as_of, customer_id)", "bi.fact_clv WHERE is_newest",
	},
	{
		"segment_member", "segment text, as_of date, customer_id bigint, PRIMARY KEY (segment, as_of, customer_id)",
		"bi.fact_segment_member WHERE is_newest",
	},
}

// indexes are those that somebody who reports on Postgres would have.
var indexes = []string{
	"CREATE INDEX ON transaction USING brin (business_date)", "CREATE INDEX ON contract (business_date)",
	"CREATE INDEX ON interaction (business_date)", "CREATE INDEX ON service_quality (business_date)", "ANALYZE",
}

// fillPostgres copies the rows of the star schema, in a schema of its own.
func (b *bench) fillPostgres(ctx context.Context) error {
	for _, statement := range []string{"CREATE SCHEMA olap", "SET search_path = olap"} {
		if _, err := b.postgres.Exec(ctx, statement); err != nil {
			return err
		}
	}
	for _, t := range tables {
		if _, err := b.postgres.Exec(ctx, "CREATE TABLE "+t.name+" ("+t.columns+")"); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		if err := b.copy(ctx, t.name, t.columns, t.from); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
	}
	for _, statement := range indexes {
		if _, err := b.postgres.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// copy streams a view from one database into the other, as text that both understand.
func (b *bench) copy(ctx context.Context, table, columns, from string) error {
	columns, _, _ = strings.Cut(columns+", ", ", PRIMARY KEY")
	var names []string
	for column := range strings.SplitSeq(strings.TrimSuffix(columns, ", "), ", ") {
		name, kind, _ := strings.Cut(column, " ")
		if kind == "date" {
			name = "toDate(" + name + ")" // a moment counts by its day
		}
		names = append(names, name)
	}
	sql := "SELECT " + strings.Join(names, ", ") + " FROM " + from + " FORMAT CSV"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, b.Addresses["TANDEM_CLICKHOUSE_HTTP_URL"], strings.NewReader(sql))
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 1000))
		return fmt.Errorf("clickhouse: %s", text)
	}
	_, err = b.postgres.PgConn().CopyFrom(ctx, response.Body, "COPY "+table+` FROM STDIN (FORMAT csv, NULL '\N')`)
	return err
}

// askPostgres asks once: the comparison of answers has filled the caches, and a question may take minutes.
func (b *bench) askPostgres(ctx context.Context, sql string) (time.Duration, error) {
	began := time.Now()
	_, err := b.postgres.Exec(ctx, sql)
	return time.Since(began), err
}
