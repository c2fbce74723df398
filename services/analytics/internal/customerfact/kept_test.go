package customerfact

import (
	"log/slog"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/go-cmp/cmp"

	"tandem.bank/pkg/testkit"
	"tandem.bank/services/analytics/internal/warehouse"
	"tandem.bank/services/analytics/migrations"
)

// Every kept fact has its column in customer_fact, of its type, and there is no other.
func TestColumns(t *testing.T) {
	t.Parallel()
	url := testkit.ClickHouse(t)
	if err := migrations.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	conn, err := warehouse.Open(warehouse.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	s, err := New(Config{Warehouse: conn, TimeZone: time.UTC, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, f := range s.builtin.keptFacts() {
		want[f.Name] = f.columnType()
	}
	got := map[string]string{}
	err = s.each(t.Context(), "read columns", func(rows driver.Rows) error {
		var name, typ string
		err := rows.Scan(&name, &typ)
		got[name] = typ
		return err
	}, `SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = 'customer_fact'
AND name NOT IN ('customer_id', 'day', 'refreshed_time', 'version', 'deleted')`)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("add a migration for what differs: - is in facts.yaml, + is in the table\n%s", diff)
	}
}

// A change moves the facts that read its table, through helpers too, and no table of records moves none.
func TestMovedBy(t *testing.T) {
	t.Parallel()
	c, err := builtin()
	if err != nil {
		t.Fatal(err)
	}
	sources := func(tables ...string) []string {
		moved, others := c.movedBy(tables)
		if len(moved)+len(others) != len(c.keptFacts()) {
			t.Errorf("%v: %d and %d facts of %d", tables, len(moved), len(others), len(c.keptFacts()))
		}
		found := map[string]bool{}
		for _, f := range moved {
			found[f.source.Name] = true
		}
		return slices.Sorted(maps.Keys(found))
	}
	for name, r := range records {
		if len(sources(r.name())) == 0 {
			t.Errorf("%s moves no fact", name)
		}
	}
	for table, want := range map[string][]string{
		"consent":         {"consent"},
		"behaviour_event": {"behaviour"},
		"account_balance": {"balance"},
		"transaction":     {"balance", "transaction"},
		"instalment":      {"arrears"},
		"account_holder":  {"account", "arrears", "balance", "contract", "holding", "transaction"},
	} {
		if diff := cmp.Diff(want, sources(table)); diff != "" {
			t.Errorf("%s: - is expected, + is moved\n%s", table, diff)
		}
	}
	if got := sources("consent", "account_balance"); !slices.Equal(got, []string{"balance", "consent"}) {
		t.Errorf("two tables move %v", got)
	}
}
