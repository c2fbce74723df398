package bi

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Codes of exceptions, from src/Common/ErrorCodes.cpp of ClickHouse.
const (
	readOnly        = "164"
	accessDenied    = "497"
	outOfConstraint = "452"
	quotaExceeded   = "201"
	nothingToMerge  = "636"
)

// Every view has rows for the user bi.
func TestBIReadsEveryView(t *testing.T) {
	t.Parallel()
	for _, view := range star.views(t) {
		out, err := star.ask(t.Context(), "bi", "SELECT count() > 0 FROM (SELECT * FROM bi."+view+" LIMIT 10)")
		if err != nil {
			t.Errorf("%s: %v", view, err)
		} else if strings.TrimSpace(out) != "1" && view != "fact_clv" {
			t.Errorf("%s is empty", view)
		}
	}
}

// The dictionaries of analysts answer them, those who see some branches only too; but for the one of managers.
func TestDictionaries(t *testing.T) {
	t.Parallel()
	for _, user := range []string{"bi", oneBranch} {
		out := star.must(t, user, "SELECT dictGet('bi.lookup_branch', 'name', branch_id) = name FROM bi.dim_branch ORDER BY branch_id LIMIT 1")
		if strings.TrimSpace(out) != "1" {
			t.Errorf("as %s: %q", user, out)
		}
	}
	star.must(t, "bi", "SELECT dictGet('bi.lookup_manager', 'branch_id', toUInt64(1))")
	if _, err := star.ask(t.Context(), oneBranch, "SELECT dictGet('bi.lookup_manager', 'branch_id', toUInt64(1))"); codeOf(err) != accessDenied {
		t.Errorf("a user of branches asked the dictionary of managers: %v", err)
	}
}

// tricks are ways to more than the views, with the code that refuses each.
var tricks = map[string]string{
	"SELECT count() FROM tandem.customer":                                                                       accessDenied,
	"SELECT count() FROM tandem.account_lookup":                                                                 accessDenied,
	"SELECT * FROM dictionary('tandem.customer_lookup')":                                                        accessDenied,
	"SELECT dictGet('tandem.account_lookup', 'customer_id', toUInt64(1))":                                       accessDenied,
	"SELECT dictHas('tandem.customer_lookup', toUInt64(1))":                                                     accessDenied,
	"SELECT joinGet('tandem.customer', 'birth_date', toUInt64(1))":                                              "",
	"SELECT count() FROM merge('tandem', '.*')":                                                                 nothingToMerge,
	"SELECT count() FROM merge(REGEXP('.*'), '^customer$')":                                                     nothingToMerge,
	"SELECT count() FROM remote('127.0.0.1', 'tandem', 'customer')":                                             accessDenied,
	"SELECT count() FROM cluster('default', 'tandem', 'customer')":                                              "",
	"SELECT count() FROM clusterAllReplicas('default', 'tandem', 'customer')":                                   "",
	"SELECT * FROM file('../../etc/users.xml', 'LineAsString')":                                                 accessDenied,
	"SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')":                                                  accessDenied,
	"SELECT * FROM s3('http://127.0.0.1:1/bucket/x', 'LineAsString')":                                           accessDenied,
	"SELECT * FROM postgresql('127.0.0.1:1', 'a', 'b', 'c', 'd')":                                               accessDenied,
	"SELECT * FROM executable('x', 'TSV', 'x String')":                                                          accessDenied,
	"SELECT * FROM mergeTreeIndex('tandem', 'customer')":                                                        accessDenied,
	"SELECT * FROM loop('tandem', 'customer') LIMIT 1":                                                          accessDenied,
	"SELECT file('../../etc/users.xml')":                                                                        "",
	"SELECT * FROM system.users":                                                                                accessDenied,
	"SELECT * FROM system.processes":                                                                            accessDenied,
	"SELECT * FROM system.row_policies":                                                                         accessDenied,
	"SELECT * FROM system.parts":                                                                                accessDenied,
	"SELECT * FROM information_schema.tables":                                                                   accessDenied,
	"SELECT * FROM information_schema.columns":                                                                  accessDenied,
	"SELECT * FROM system.query_log":                                                                            "",
	"SELECT * FROM system.settings_profiles":                                                                    accessDenied,
	"SELECT * FROM system.grants":                                                                               accessDenied,
	"SELECT * FROM system.quotas":                                                                               accessDenied,
	"SELECT * FROM system.clusters":                                                                             accessDenied,
	"SELECT * FROM system.disks":                                                                                accessDenied,
	"SELECT * FROM system.zookeeper WHERE path = '/'":                                                           "",
	"SELECT * FROM remoteSecure('127.0.0.1', 'tandem', 'customer')":                                             accessDenied,
	"SELECT * FROM urlCluster('default', 'http://127.0.0.1:1/', 'TSV')":                                         "",
	"SELECT * FROM hdfs('hdfs://127.0.0.1:1/x', 'TSV', 'x String')":                                             "",
	"SELECT * FROM mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')":                                                    accessDenied,
	"SELECT * FROM mongodb('127.0.0.1:1', 'a', 'b', 'c', 'd', 'x String')":                                      "",
	"SELECT * FROM sqlite('x.db', 'x')":                                                                         "",
	"SELECT * FROM fileCluster('default', 'x', 'TSV', 'x String')":                                              "",
	"INSERT INTO FUNCTION file('x', 'TSV', 'x UInt8') VALUES (1)":                                               "",
	"INSERT INTO FUNCTION url('http://127.0.0.1:1/', 'TSV', 'x UInt8') SELECT customer_id FROM bi.dim_customer": "",
	"CREATE FUNCTION f AS x -> x":                                                                               "",
	"GRANT SELECT ON tandem.* TO bi":                                                                            "",
	"SYSTEM SHUTDOWN":                                                                                           "",
	"BACKUP TABLE bi.dim_branch TO Disk('default', 'x')":                                                        "",
	"SELECT 1 SETTINGS max_result_rows = 0":                                                                     readOnly,
	"SELECT 1 SETTINGS max_concurrent_queries_for_user = 0":                                                     readOnly,
	"SELECT 1 SETTINGS apply_prewhere_after_final = 0":                                                          readOnly,
	"INSERT INTO bi.dim_branch SELECT * FROM bi.dim_branch":                                                     accessDenied,
	"CREATE TABLE bi.t (x UInt8) ENGINE = Memory":                                                               "",
	"CREATE TEMPORARY TABLE t (x UInt8)":                                                                        "",
	"CREATE VIEW bi.v AS SELECT 1":                                                                              "",
	"DROP VIEW bi.dim_branch":                                                                                   "",
	"ALTER TABLE tandem.customer DELETE WHERE 1":                                                                "",
	"SYSTEM RELOAD DICTIONARIES":                                                                                "",
	"SYSTEM FLUSH LOGS":                                                                                         "",
	"KILL QUERY WHERE 1":                                                                                        "",
	"SHOW CREATE TABLE tandem.customer":                                                                         "",
	"EXPLAIN SELECT * FROM tandem.customer":                                                                     accessDenied,
	"DESCRIBE TABLE tandem.customer":                                                                            accessDenied,
	"SELECT 1 SETTINGS readonly = 0":                                                                            readOnly,
	"SELECT 1 SETTINGS workload = 'default'":                                                                    readOnly,
	"SELECT 1 SETTINGS max_memory_usage = 0":                                                                    readOnly,
	"SELECT 1 SETTINGS max_threads = 64":                                                                        readOnly,
	"SELECT 1 SETTINGS apply_row_policy_after_final = 0":                                                        readOnly,
	"SELECT 1 SETTINGS allow_introspection_functions = 1":                                                       readOnly,
	"SELECT demangle(addressToSymbol(0))":                                                                       "",
	"SELECT 1 SETTINGS max_execution_time = 100000":                                                             outOfConstraint,
	"SELECT 1 SETTINGS max_execution_time = 0":                                                                  outOfConstraint,
	"SET max_execution_time = 100000":                                                                           outOfConstraint,
}

// Nothing else can be read, and nothing at all changed, by any of the ways that ClickHouse has.
func TestNothingElse(t *testing.T) {
	t.Parallel()
	for _, user := range []string{"bi", oneBranch} {
		for sql, code := range tricks {
			out, err := star.ask(t.Context(), user, sql)
			if err == nil || (code != "" && codeOf(err) != code) {
				t.Errorf("%s as %s: %q, %v; want code %s", sql, user, out, err, code)
			}
		}
	}
}

// A query that may fall back when it lacks rights falls back.
func TestViewIfPermitted(t *testing.T) {
	t.Parallel()
	out := star.must(t, "bi", "SELECT count() FROM viewIfPermitted(SELECT customer_id FROM tandem.customer ELSE null('customer_id UInt64'))")
	if strings.TrimSpace(out) != "0" {
		t.Errorf("%s rows", out)
	}
}

// Only the timeout can be set.
func TestTimeoutCanBeSet(t *testing.T) {
	t.Parallel()
	for _, sql := range []string{
		"SELECT toUInt32(getSetting('max_execution_time')) SETTINGS max_execution_time = 33",
	} {
		if out := star.must(t, "bi", sql); strings.TrimSpace(out) != "33" {
			t.Errorf("%s gave %s", sql, out)
		}
	}
	if out, err := star.ask(t.Context(), "bi", "SELECT 1", "max_execution_time", "60"); err != nil || strings.TrimSpace(out) != "1" {
		t.Errorf("%q, %v", out, err)
	}
	_, err := star.ask(t.Context(), "bi", "SELECT sum(sleepEachRow(1)) FROM numbers(10) SETTINGS max_execution_time = 1")
	if err == nil {
		t.Error("a query outlived its time")
	}
}

// Without a password, or with a wrong one, nobody gets in.
func TestPasswords(t *testing.T) {
	t.Parallel()
	wrong := *star
	wrong.password = "wrong"
	if _, err := wrong.ask(t.Context(), "bi", "SELECT 1"); codeOf(err) == "" {
		t.Errorf("a wrong password gave %v", err)
	}
	if star.password == "" {
		t.Error("bi has an empty password")
	}
}

// systemTables are what everybody may read of the server: lists of its functions, formats and settings, and those of
// databases, tables and columns, which show only what one has rights on.
var systemTables = []string{
	"aggregate_function_combinators", "collations", "columns", "completions", "contributors", "current_roles", "data_type_families",
	"database_engines", "databases", "dictionary_layouts", "disk_types", "enabled_roles", "formats", "functions", "licenses", "one",
	"privileges", "quota_usage", "settings", "table_engines", "table_functions", "tables", "time_zones",
}

// Of the server's own tables only harmless ones can be read, and they know of no database but bi.
func TestSystemTables(t *testing.T) {
	t.Parallel()
	rows, err := star.admin.Query(t.Context(), "SELECT name FROM system.tables WHERE database = 'system' ORDER BY name")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		out, err := star.ask(t.Context(), oneBranch, "SELECT * FROM system.`"+name+"` LIMIT 3")
		if err == nil && !slices.Contains(systemTables, name) {
			t.Errorf("system.%s can be read: %.200q", name, out)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"databases", "tables", "columns"} {
		column := map[bool]string{true: "name", false: "database"}[table == "databases"]
		out := star.must(t, "bi", fmt.Sprintf("SELECT DISTINCT %s FROM system.%s WHERE %[1]s NOT IN ('system', 'bi')", column, table))
		if out != "" {
			t.Errorf("system.%s shows %s", table, out)
		}
	}
}

// Queries are counted, each user's for itself.
func TestQuota(t *testing.T) {
	t.Parallel()
	var limit uint64
	row := star.admin.QueryRow(t.Context(), "SELECT assumeNotNull(max_queries) FROM system.quota_limits WHERE quota_name = 'bi'")
	if err := row.Scan(&limit); err != nil || limit == 0 {
		t.Fatalf("limit %d, %v", limit, err)
	}
	star.must(t, "bi", "SELECT 1")
	used := star.must(t, "bi", "SELECT sum(queries) > 0 FROM system.quota_usage WHERE quota_name = 'bi'")
	if strings.TrimSpace(used) != "1" {
		t.Errorf("the quota does not count: %s", used)
	}
}

// Who has used the hour's queries up is refused, and nobody else.
func TestQuotaRefuses(t *testing.T) {
	t.Parallel()
	for range fewQuota {
		star.must(t, fewQueries, "SELECT count() FROM bi.dim_branch")
	}
	if _, err := star.ask(t.Context(), fewQueries, "SELECT count() FROM bi.dim_branch"); codeOf(err) != quotaExceeded {
		t.Errorf("a query beyond the quota gave %v", err)
	}
	star.must(t, "bi", "SELECT count() FROM bi.dim_branch")
}
