package bi

import (
	"strings"
	"testing"
)

// withBranch lists the views that have the column branch_id, but for the lists of branches themselves, which are no secret.
func withBranch(t *testing.T) []string {
	t.Helper()
	return strings.Fields(star.must(t, "bi",
		"SELECT table FROM system.columns WHERE database = 'bi' AND name = 'branch_id' AND table NOT IN ('dim_branch', 'lookup_branch') ORDER BY table"))
}

// A user of branches sees their rows, all of them and no other, in every view that knows branches.
func TestBranches(t *testing.T) {
	t.Parallel()
	views := withBranch(t)
	if len(views) < 12 {
		t.Fatalf("only %s know branches", views)
	}
	for user, where := range map[string]string{oneBranch: "branch_id = 3", twoBranches: "branch_id IN (3, 7)"} {
		for _, view := range views {
			want := star.must(t, "bi", "SELECT count(), countIf(NOT ("+where+")) > 0 FROM bi."+view+" WHERE "+where)
			got := star.must(t, user, "SELECT count(), countIf(NOT ("+where+")) > 0 FROM bi."+view)
			if got != want {
				t.Errorf("%s as %s: %q, want %q: is there a line for it in deploy/clickhouse/analyst.xml?", view, user, got, want)
			}
		}
	}
	seen := star.must(t, oneBranch, "SELECT count() FROM bi.fact_transaction")
	if all := star.must(t, "bi", "SELECT count() FROM bi.fact_transaction"); seen == all || strings.TrimSpace(seen) == "0" {
		t.Errorf("branch 3 has %s of %s transactions: the test shows nothing", seen, all)
	}
}

// peeks try to learn of customers of other branches. Each gives 0 or is refused; $ is a customer of another branch.
var peeks = []string{
	"SELECT count() FROM bi.dim_customer WHERE customer_id = $",
	"SELECT count() FROM bi.dim_customer FINAL WHERE customer_id = $",
	"SELECT count() FROM bi.dim_customer PREWHERE customer_id = $",
	"SELECT count() FROM bi.dim_customer WHERE customer_id = $ OR 1 = 1 AND branch_id != 3",
	"SELECT countIf(customer_id = $) FROM bi.dim_customer",
	"SELECT count() FROM (SELECT *, branch_id AS b FROM bi.dim_customer) WHERE b != 3",
	"WITH 3 AS branch_id SELECT count() FROM bi.dim_customer WHERE customer_id = $",
	"SELECT count() FROM (SELECT 3 AS branch_id) AS b INNER JOIN bi.dim_customer AS c ON c.customer_id = $",
	"SELECT count() FROM bi.dim_branch AS b LEFT JOIN bi.dim_customer AS c ON c.branch_id = b.branch_id WHERE c.customer_id = $",
	"SELECT count() FROM bi.dim_customer AS c ANY RIGHT JOIN (SELECT toUInt64($) AS customer_id) AS x USING (customer_id) WHERE c.branch_id != 0",
	"SELECT count() FROM numbers(1) WHERE toUInt64($) IN (SELECT customer_id FROM bi.dim_customer)",
	"SELECT count() FROM merge('bi', '^dim_customer$') WHERE customer_id = $",
	"SELECT count() FROM merge('bi', '^(dim|fact)_') WHERE customer_id = $",
	"SELECT count() FROM loop('bi', 'dim_customer') WHERE customer_id = $ LIMIT 1 SETTINGS max_execution_time = 1",
	"SELECT count() FROM viewIfPermitted(SELECT customer_id FROM bi.dim_customer ELSE null('customer_id UInt64')) WHERE customer_id = $",
	"SELECT count() FROM view(SELECT customer_id FROM bi.dim_customer) WHERE customer_id = $",
	"SELECT count() FROM (SELECT customer_id FROM bi.fact_transaction UNION ALL SELECT customer_id FROM bi.fact_rfm) WHERE customer_id = $",
	"SELECT toUInt8((SELECT any(customer_id) FROM bi.dim_customer WHERE customer_id = $) = $)",
	"SELECT count() FROM (SELECT customer_id, row_number() OVER () AS n FROM bi.dim_customer) WHERE customer_id = $",
	"SELECT count() FROM bi.dim_customer SAMPLE 1 WHERE customer_id = $",
	"SELECT dictGet('tandem.customer_lookup', 'branch_id', toUInt64($))",
	"SELECT dictHas('bi.lookup_manager', toUInt64(1))",
	"SELECT dictGet('bi.lookup_manager', 'branch_id', toUInt64(1))",
	"SELECT count() FROM dictionary('bi.lookup_manager') WHERE branch_id != 3",
	"SELECT count() FROM bi.dim_customer WHERE customer_id = $ SETTINGS additional_table_filters = {}",
	"SELECT count() FROM bi.dim_customer WHERE customer_id = $ SETTINGS apply_row_policy_after_final = 0, optimize_move_to_prewhere_if_final = 1",
}

// Row policies hold against the ways round them that are known.
func TestPeeking(t *testing.T) {
	t.Parallel()
	other := strings.TrimSpace(star.must(t, "bi", "SELECT min(customer_id) FROM bi.fact_rfm WHERE branch_id NOT IN (0, 3)"))
	for _, peek := range peeks {
		sql := strings.ReplaceAll(strings.ReplaceAll(peek, "^dim_customer$", "^dim_customer§"), "$", other)
		sql = strings.ReplaceAll(sql, "§", "$")
		out, err := star.ask(t.Context(), oneBranch, sql)
		if err == nil && strings.TrimSpace(out) != "0" {
			t.Errorf("%s gave %q", sql, out)
		}
	}
	// A condition that fails on rows of others would tell of them by failing.
	for _, condition := range []string{
		"throwIf(customer_id = $)", "intDiv(1, customer_id - $) > 0", "toUInt8(throwIf(branch_id != 3))", "NOT throwIf(customer_id = $ AND sex != '')",
	} {
		sql := "SELECT count() FROM bi.dim_customer WHERE " + strings.ReplaceAll(condition, "$", other)
		if _, err := star.ask(t.Context(), oneBranch, sql); err != nil {
			t.Errorf("%s: %v", sql, err)
		}
	}
}
