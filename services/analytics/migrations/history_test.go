package migrations_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"tandem.bank/services/analytics/internal/fact"
)

// ownVersions are tables that keep every version by themselves.
var ownVersions = []string{"audit_block", "definition", "plan_value", "published_change"}

// columnsOf lists a table's columns with their types.
func columnsOf(t *testing.T, conn driver.Conn, table string) [][2]string {
	t.Helper()
	return pairs(t, conn, "SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = ? ORDER BY position", table)
}

// Every table that ingestion fills has a history with the same columns, and all versions arrive there.
func TestHistory(t *testing.T) {
	t.Parallel()
	conn, _ := star(t)
	for _, table := range fact.Tables() {
		if slices.Contains(ownVersions, table) {
			continue
		}
		base, history := columnsOf(t, conn, table), columnsOf(t, conn, table+"_history")
		if !slices.Equal(base, history) {
			t.Errorf("%s has the columns %v and its history %v: add the same to both, see 00026_history.sql", table, base, history)
		}
	}
	customerOverTime(t, conn)
}

// customerOverTime changes a customer twice and deletes it, out of order and with a repetition.
func customerOverTime(t *testing.T, conn driver.Conn) {
	t.Helper()
	day := func(n int) time.Time { return time.Date(2026, 3, n, 12, 0, 0, 0, time.UTC) }
	for _, change := range []struct {
		version uint64
		state   string
		deleted uint8
	}{{2, "active", 0}, {1, "prospect", 0}, {3, "active", 1}, {2, "active", 0}} {
		const insert = "INSERT INTO customer (customer_id, state, version, deleted, change_time) VALUES (?, ?, ?, ?, ?)"
		at := day(int(change.version))
		if err := conn.Exec(t.Context(), insert, uint64(7), change.state, change.version, change.deleted, at); err != nil {
			t.Fatal(err)
		}
	}
	if n := number(t, conn, "SELECT count() FROM customer_history FINAL WHERE customer_id = 7"); n != 3 {
		t.Errorf("%d versions, want 3", n)
	}
	for at, want := range map[string]string{
		"2026-03-01 00:00:00": "", "2026-03-01 13:00:00": "prospect", "2026-03-02 13:00:00": "active", "2026-03-04 00:00:00": "",
	} {
		var got string
		if err := conn.QueryRow(t.Context(), "SELECT any(state) FROM customer_at(at = '"+at+"')").Scan(&got); err != nil || got != want {
			t.Errorf("at %s the customer was %q, want %q (%v)", at, got, want, err)
		}
	}
}

func number(t *testing.T, conn driver.Conn, sql string) (n uint64) {
	t.Helper()
	if err := conn.QueryRow(context.WithoutCancel(t.Context()), sql).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
