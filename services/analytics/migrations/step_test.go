package migrations_test

import (
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"tandem.bank/pkg/testkit"
	"tandem.bank/services/analytics/internal/warehouse"
	"tandem.bank/services/analytics/migrations"
)

// contacts are in four ranges of numbers, among them the first and the last numbers of ranges. Every third has a second version and
// every fifth of those is deleted, some come twice.
const contacts = `INSERT INTO interaction (interaction_id, customer_id, channel, business_date, version, deleted)
	SELECT intDiv(number, 100) * 262144 + if(number % 100 < 50, number % 100, 262144 - number % 100 + 49), number + 1, 'phone', '2026-01-01', 1, 0
	FROM numbers(400) WHERE number > 0`

const changed = `INSERT INTO interaction (interaction_id, customer_id, channel, business_date, version, deleted)
	SELECT interaction_id, customer_id, 'web', business_date, 2, interaction_id % 5 = 0 FROM interaction WHERE version = 1 AND interaction_id % 3 = 0`

// oldInteractions gives the table back the form that it had before it got partitions, with its rows, and forgets the migration.
var oldInteractions = []string{
	// Without the clause it would take over the partitions as well.
	"CREATE TABLE interaction_unparted AS interaction ENGINE = ReplacingMergeTree(version, deleted) PARTITION BY tuple() ORDER BY interaction_id",
	"INSERT INTO interaction_unparted SELECT * FROM interaction",
	"EXCHANGE TABLES interaction AND interaction_unparted",
	"DROP TABLE interaction_unparted SYNC",
	forgetPartitions,
}

const (
	forgetPartitions = "DELETE FROM goose_db_version WHERE version_id >= 67"
	newInteractions  = `CREATE TABLE interaction_by_range AS interaction ENGINE = ReplacingMergeTree(version, deleted)
		PARTITION BY intDiv(interaction_id, 262144) ORDER BY interaction_id`
)

// A warehouse with interactions gets partitions, from wherever an earlier try was cut off, and has every version once.
func TestInteractionsGetPartitions(t *testing.T) {
	t.Parallel()
	url := testkit.ClickHouse(t)
	if err := migrations.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	conn := open(t, url)
	exec(t, conn, contacts)
	exec(t, conn, changed)
	onParts(t, conn, oldInteractions...)
	if n := number(t, conn, "SELECT uniqExact(_partition_id) FROM interaction"); n != 1 {
		t.Fatalf("the old table has %d partitions", n)
	}
	want := interactionState(t, conn)
	for _, cutOff := range []struct {
		name  string
		state []string
	}{
		{name: "not begun"},
		{name: "once more", state: []string{forgetPartitions}},
		{name: "while it copied", state: append(oldInteractions,
			newInteractions, "INSERT INTO interaction_by_range SELECT * FROM interaction WHERE interaction_id % 7 = 0")},
		{name: "before the old table was gone", state: append(oldInteractions, newInteractions,
			"INSERT INTO interaction_by_range SELECT * FROM interaction WHERE interaction_id % 7 != 0",
			"EXCHANGE TABLES interaction AND interaction_by_range")},
	} {
		onParts(t, conn, cutOff.state...)
		if err := migrations.Migrate(t.Context(), url); err != nil {
			t.Fatalf("%s: %v", cutOff.name, err)
		}
		if got := interactionState(t, conn); got != want {
			t.Errorf("%s: %+v, want %+v", cutOff.name, got, want)
		}
		inPartitions(t, conn, cutOff.name)
	}
	// Histories and links still follow.
	exec(t, conn, "INSERT INTO interaction (interaction_id, customer_id, version) VALUES (9000000, 7777, 1)")
	if n := number(t, conn, "SELECT count() FROM interaction_history FINAL WHERE interaction_id = 9000000"); n != 1 {
		t.Errorf("the history has a new contact %d times", n)
	}
	if n := number(t, conn, "SELECT count() FROM record_link FINAL WHERE entity = 'customer' AND entity_id = 7777"); n != 1 {
		t.Errorf("%d links of a new contact", n)
	}
}

// interactions is what is known of contacts: rows and what they add up to, now and in the history, and what they are linked to.
type interactions struct{ now, nowHash, deleted, history, historyHash, links, linksHash uint64 }

func interactionState(t *testing.T, conn driver.Conn) interactions {
	t.Helper()
	var out interactions
	const hashed = "sum(cityHash64(toString(tuple(*))))"
	err := conn.QueryRow(t.Context(), `SELECT now.1, now.2, deleted, history.1, history.2, links.1, links.2 FROM (SELECT
		(SELECT (count(), `+hashed+`) FROM interaction FINAL) AS now,
		(SELECT uniqExactIf(interaction_id, deleted = 1) FROM interaction_history FINAL) AS deleted,
		(SELECT (count(), `+hashed+`) FROM interaction_history FINAL) AS history,
		(SELECT (count(), `+hashed+`) FROM record_link FINAL) AS links)`).
		Scan(&out.now, &out.nowHash, &out.deleted, &out.history, &out.historyHash, &out.links, &out.linksHash)
	if err != nil {
		t.Fatal(err)
	}
	if out.now == 0 || out.deleted == 0 || out.history <= out.now || out.links == 0 {
		t.Fatalf("the bank is too plain: %+v", out)
	}
	return out
}

// inPartitions checks that each range is a partition and holds all versions of its rows, and that no table is left over.
func inPartitions(t *testing.T, conn driver.Conn, when string) {
	t.Helper()
	const apart = "SELECT count() FROM (SELECT interaction_id FROM interaction GROUP BY interaction_id HAVING uniqExact(_partition_id) > 1)"
	if n := number(t, conn, apart); n != 0 {
		t.Errorf("%s: versions of %d rows are in several partitions", when, n)
	}
	if n := number(t, conn, "SELECT uniqExact(_partition_id) FROM interaction"); n != 4 {
		t.Errorf("%s: %d partitions, want 4", when, n)
	}
	const left = "SELECT count() FROM system.tables WHERE startsWith(database, currentDatabase()) AND name = 'interaction_by_range'"
	if n := number(t, conn, left); n != 0 {
		t.Errorf("%s: the old table is still there", when)
	}
}

func exec(t *testing.T, conn driver.Conn, statement string) {
	t.Helper()
	if err := conn.Exec(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

func onParts(t *testing.T, conn driver.Conn, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if err := warehouse.OnParts(t.Context(), conn, statement); err != nil {
			t.Fatalf("%.60s: %v", statement, err)
		}
	}
}
