package migrations_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"tandem.bank/pkg/testkit"
	"tandem.bank/services/analytics/internal/warehouse"
	"tandem.bank/services/analytics/migrations"
)

func open(t *testing.T, url string) driver.Conn {
	t.Helper()
	conn, err := warehouse.Open(warehouse.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	url := testkit.ClickHouse(t)
	conn := open(t, url)
	if err := migrations.Check(t.Context(), conn); !errors.Is(err, migrations.ErrPending) {
		t.Fatalf("an empty database gave %v", err)
	}
	for range 2 { // the second time finds nothing to do
		if err := migrations.Migrate(t.Context(), url); err != nil {
			t.Fatal(err)
		}
	}
	if err := migrations.Check(t.Context(), conn); err != nil {
		t.Fatal(err)
	}
	if err := warehouse.OnParts(t.Context(), conn, "DELETE FROM goose_db_version WHERE version_id > 1"); err != nil {
		t.Fatal(err)
	}
	if err := migrations.Check(t.Context(), conn); !errors.Is(err, migrations.ErrPending) {
		t.Fatalf("a database of an older version gave %v", err)
	}
	if err := migrations.Migrate(t.Context(), url); err != nil {
		t.Fatalf("a migration that was cut off must be able to run again: %v", err)
	}
}

func TestMigrateMakesTheDatabase(t *testing.T) {
	t.Parallel()
	url := testkit.ClickHouse(t)
	testkit.DropClickHouse(t, url)
	if err := migrations.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
}

// personal matches names of columns that would hold personal data.
var personal = regexp.MustCompile(`(?i)phone|mail|address|street|surname|first_name|last_name|document|passport|iban|number$|token|pan$|text|subject|description|counterparty`)

// Personal data stay in Postgres: no column is called like any, and names are only of places and products.
func TestNoPersonalData(t *testing.T) {
	t.Parallel()
	url := testkit.ClickHouse(t)
	if err := migrations.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	rows, err := open(t, url).Query(t.Context(), "SELECT table, name FROM system.columns WHERE database = currentDatabase()")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	named := map[string]bool{
		"region": true, "branch": true, "product": true, "service_level": true, "service_level_lookup": true, "attribute_definition": true,
		"definition": true, "schedule_run": true, "plan_value": true, "plan_value_at": true,
	}
	columns := 0
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			t.Fatal(err)
		}
		columns++
		if (personal.MatchString(column) && column != "document_id") || (column == "name" && !named[strings.TrimSuffix(strings.TrimSuffix(table, "_feed"), "_history")]) {
			t.Errorf("%s.%s looks like personal data", table, column)
		}
	}
	if err := rows.Err(); err != nil || columns == 0 {
		t.Fatalf("%d columns, %v", columns, err)
	}
}

// FINAL resolves versions within each partition alone (deploy/clickhouse/users.d): all versions of a row must lie in one.
func TestPartitionsAreFunctionsOfKeys(t *testing.T) {
	t.Parallel()
	url := testkit.ClickHouse(t)
	if err := migrations.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	const wrong = `SELECT groupArray(table) FROM system.columns INNER JOIN system.tables ON tables.database = columns.database AND tables.name = columns.table
		WHERE startsWith(columns.database, currentDatabase()) AND engine LIKE '%ReplacingMergeTree' AND is_in_partition_key AND NOT is_in_sorting_key`
	var tables []string
	if err := open(t, url).QueryRow(t.Context(), wrong).Scan(&tables); err != nil {
		t.Fatal(err)
	}
	if len(tables) > 0 {
		t.Errorf("versions of a row can lie in two partitions of %v", tables)
	}
}
