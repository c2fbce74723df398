package migrations_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"tandem.bank/pkg/clickhousex"
	"tandem.bank/pkg/testkit"
	"tandem.bank/services/analytics/migrations"
)

// star is a migrated warehouse and the database of views that belongs to it.
func star(t *testing.T) (conn driver.Conn, bi string) {
	t.Helper()
	address := testkit.ClickHouse(t)
	if err := migrations.Migrate(t.Context(), address); err != nil {
		t.Fatal(err)
	}
	parsed, err := clickhousex.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return open(t, address), migrations.BIDatabase(parsed.Options.Auth.Database)
}

// pairs returns two columns of text.
func pairs(t *testing.T, conn driver.Conn, sql string, args ...any) [][2]string {
	t.Helper()
	rows, err := conn.Query(t.Context(), sql, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var out [][2]string
	for rows.Next() {
		var pair [2]string
		if err := rows.Scan(&pair[0], &pair[1]); err != nil {
			t.Fatal(err)
		}
		out = append(out, pair)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// One database serves all checks, for none of them changes it.
func TestBI(t *testing.T) {
	t.Parallel()
	conn, bi := star(t)
	for name, check := range map[string]func(*testing.T, driver.Conn, string){
		"views": views, "comments": comments, "questions": questions, "personal columns": personalColumns, "types": types, "pages": pages,
	} {
		t.Run(name, func(t *testing.T) { check(t, conn, bi) })
	}
}

// Days and times that old clients don't know are shown as the nearest that they do.
func TestDaysThatDoNotFit(t *testing.T) {
	t.Parallel()
	conn, bi := star(t)
	const before, after = "toDate32('1912-06-23')", "toDate32('2200-02-28')"
	for table, values := range map[string]string{
		"customer (customer_id, state, state_since, customer_since, version)":               "1, 'former', " + after + ", " + before + ", 1",
		"account (account_id, state_since, opened, closed, version)":                        "1, " + after + ", " + before + ", " + after + ", 1",
		"card (card_id, state_since, issued, expiry, version)":                              "1, " + before + ", " + before + ", " + after + ", 1",
		"contract (contract_id, state_since, signed, opened, closed, maturity, version)":    "1, " + after + ", " + before + ", NULL, " + after + ", " + after + ", 1",
		"interaction (interaction_id, kind, opened_time, resolved_time, due_time, version)": "1, 'complaint', " + before + ", NULL, " + after + ", 1",
	} {
		if err := conn.Exec(t.Context(), "INSERT INTO "+table+" SELECT "+values); err != nil {
			t.Fatalf("%s: %v", table, err)
		}
	}
	const least, most, leastTime, mostTime = "1970-01-01", "2149-06-06", "1970-01-01 00:00:00", "2106-02-07 06:28:15"
	for columns, want := range map[string]string{
		"customer_since, state_since, left_on FROM " + bi + ".dim_customer":                           least + " " + most + " " + most,
		"opened, closed, state_since FROM " + bi + ".dim_account":                                     least + " " + most + " " + mostTime,
		"issued, expiry, state_since FROM " + bi + ".dim_card":                                        least + " " + most + " " + leastTime,
		"business_date, signed, opened, closed, maturity, state_since FROM " + bi + ".fact_contract":  least + " " + least + " - " + most + " " + most + " " + mostTime,
		"opened_time, resolved_time, due_time, hours_to_resolve FROM " + bi + ".fact_service_quality": leastTime + " - " + mostTime + " -",
	} {
		list, from, _ := strings.Cut(columns, " FROM ")
		texts := "ifNull(toString(" + strings.ReplaceAll(list, ", ", "), '-'), ifNull(toString(") + "), '-')"
		var got string
		if err := conn.QueryRow(t.Context(), "SELECT concatWithSeparator(' ', "+texts+") FROM "+from).Scan(&got); err != nil {
			t.Fatalf("%s: %v", columns, err)
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", columns, got, want)
		}
	}
}

// The views that analysts are promised are there.
func views(t *testing.T, conn driver.Conn, bi string) {
	have := map[string]bool{}
	for _, table := range pairs(t, conn, "SELECT name, engine FROM system.tables WHERE database = ?", bi) {
		have[table[0]] = true
		if want := map[bool]string{true: "Dictionary", false: "View"}[strings.HasPrefix(table[0], "lookup_")]; table[1] != want {
			t.Errorf("%s is a %s and no %s: rows are kept in the warehouse", table[0], table[1], want)
		}
	}
	for _, name := range []string{
		"dim_customer", "dim_account", "dim_card", "dim_product", "dim_branch", "dim_manager", "dim_region", "dim_date",
		"fact_transaction", "fact_balance_day", "fact_interaction", "fact_service_quality", "fact_contract", "fact_rfm",
		"fact_segment_member", "fact_score", "dim_run", "lookup_product", "lookup_branch", "lookup_region", "lookup_manager",
	} {
		if !have[name] {
			t.Errorf("there is no %s", name)
		}
	}
}

// Every view and every column says what it is, and every view asks a question.
func comments(t *testing.T, conn driver.Conn, bi string) {
	for _, view := range pairs(t, conn, "SELECT name, comment FROM system.tables WHERE database = ?", bi) {
		text, asked := readComment(view[1])
		if len(text) < 10 || len(asked) == 0 {
			t.Errorf("the comment of %s says %q and has %d questions", view[0], text, len(asked))
		}
	}
	columns := 0
	for _, one := range described(t, conn, bi) {
		for _, column := range one.columns {
			if columns++; len(column.text) < 3 {
				t.Errorf("%s.%s has no comment", one.name, column.name)
			}
		}
	}
	if columns == 0 {
		t.Error("no columns")
	}
}

// Every view can be read and every question asked, also of an empty bank.
func questions(t *testing.T, conn driver.Conn, bi string) {
	for _, view := range pairs(t, conn, "SELECT name, comment FROM system.tables WHERE database = ?", bi) {
		if err := conn.Exec(t.Context(), "SELECT * FROM "+bi+"."+view[0]+" LIMIT 1 FORMAT Null"); err != nil {
			t.Errorf("%s: %v", view[0], err)
		}
		_, asked := readComment(view[1])
		for _, one := range asked {
			if err := conn.Exec(t.Context(), one.sql+" FORMAT Null"); err != nil {
				t.Errorf("%s: %s %v", view[0], one.text, err)
			}
		}
	}
}

// Old clients of ClickHouse know no newer types.
func types(t *testing.T, conn driver.Conn, bi string) {
	for _, column := range pairs(t, conn, "SELECT table || '.' || name, type FROM system.columns WHERE database = ?", bi) {
		if newer.MatchString(column[1]) {
			t.Errorf("%s is a %s", column[0], column[1])
		}
	}
}

var newer = regexp.MustCompile(`Date32|DateTime64|Map|JSON|Dynamic|Variant|Bool|Decimal\((39|[4-7]\d)`)

// exactNames are of columns that the warehouse has and analysts don't get: they single people out, or people typed them in.
var exactNames = regexp.MustCompile(`^(birth_date|founded|monthly_income|annual_turnover|employer_id|employed_since|job_title|citizenships|interests|other_banks` +
	`|other_bank_products|attribute_.*|topic|visitor_id|page|dependants|employees|token|.*first_name|.*last_name)$`)

// No column of a view is called like personal data, and names are of places and products only.
func personalColumns(t *testing.T, conn driver.Conn, bi string) {
	named := map[string]bool{
		"dim_region": true, "dim_branch": true, "dim_product": true, "lookup_region": true, "lookup_branch": true, "lookup_product": true,
		"dim_run": true, // of segments and scores
	}
	for _, column := range pairs(t, conn, "SELECT table, name FROM system.columns WHERE database = ?", bi) {
		if personal.MatchString(column[1]) || exactNames.MatchString(column[1]) || (column[1] == "name" && !named[column[0]]) {
			t.Errorf("%s.%s looks like personal data", column[0], column[1])
		}
	}
}
