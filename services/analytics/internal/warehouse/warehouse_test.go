package warehouse

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"tandem.bank/pkg/testkit"
)

func connect(t *testing.T) driver.Conn {
	t.Helper()
	conn, err := Open(Config{URL: testkit.ClickHouse(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// The codes in the tables are what the server calls them, and no code is in both.
func TestExceptionCodes(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	for _, table := range []map[int32]string{temporaryCodes, dataCodes} {
		for code, name := range table {
			var got string
			if err := conn.QueryRow(t.Context(), "SELECT errorCodeToName(?)", code).Scan(&got); err != nil || got != name {
				t.Errorf("code %d is %s, not %s (%v)", code, got, name, err)
			}
		}
	}
	for code := range dataCodes {
		if _, both := temporaryCodes[code]; both {
			t.Errorf("code %d is in both tables", code)
		}
	}
}

// row is a row of the table that the test makes.
type row struct{ id, small int64 }

func TestErrorsAreTold(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	if err := conn.Exec(t.Context(), "CREATE TABLE item (id Int64, small Int64, CONSTRAINT small CHECK small < 10) ENGINE = MergeTree ORDER BY id"); err != nil {
		t.Fatal(err)
	}
	item := NewTable("item", Col("id", func(r *row) int64 { return r.id }), Col("small", func(r *row) int64 { return r.small }))
	if err := item.Insert(t.Context(), conn, []row{{1, 1}, {2, 2}}); err != nil {
		t.Fatal(err)
	}
	away, err := Open(Config{URL: "clickhouse://127.0.0.1:1/tandem"})
	if err != nil {
		t.Fatal(err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	wrongType := NewTable("item", Col("id", func(*row) string { return "text" }))
	missing := NewTable("nowhere", Col("id", func(r *row) int64 { return r.id }))
	cases := []struct {
		name               string
		err                error
		temporary, badData bool
	}{
		{"refused by a constraint", item.Insert(t.Context(), conn, []row{{3, 10}}), false, true},
		{"refused by the driver", wrongType.Insert(t.Context(), conn, []row{{4, 4}}), false, true},
		{"no such table", missing.Insert(t.Context(), conn, []row{{5, 5}}), true, false},
		{"server away", item.Insert(t.Context(), away, []row{{6, 6}}), true, false},
		{"wrong SQL", conn.Exec(t.Context(), "SELEC"), false, false},
		{"cancelled", item.Insert(cancelled, conn, []row{{7, 7}}), false, false},
		{"success", nil, false, false},
	}
	for _, c := range cases {
		if c.name != "success" && c.err == nil {
			t.Errorf("%s: no error", c.name)
		}
		if Temporary(c.err) != c.temporary || BadData(c.err) != c.badData {
			t.Errorf("%s: temporary %v, bad data %v: %v", c.name, Temporary(c.err), BadData(c.err), c.err)
		}
	}
	var rows uint64
	if err := conn.QueryRow(t.Context(), "SELECT count() FROM item").Scan(&rows); err != nil || rows != 2 {
		t.Errorf("%d rows, %v", rows, err)
	}
}

// Each query carries the settings that results and durability hang on.
func TestPinnedSettings(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	for name, want := range pinned() {
		var got string
		if err := conn.QueryRow(t.Context(), "SELECT toString(getSetting(?))", name).Scan(&got); err != nil {
			t.Fatal(err)
		}
		switch want := want.(type) {
		case int:
			if got != map[int]string{0: "0", 1: "1"}[want] && got != map[int]string{0: "false", 1: "true"}[want] {
				t.Errorf("%s is %s", name, got)
			}
		default:
			if got != want {
				t.Errorf("%s is %s", name, got)
			}
		}
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"http://db:8123/tandem":     "clickhouse://",
		"clickhouse://db:9000":      "must name a database",
		"clickhouse://a b:9000/t":   "clickhouse url",
		"clickhouse://db:9000/fine": "",
	} {
		err := Config{URL: url}.Validate()
		if (want == "") != (err == nil) || (err != nil && !strings.Contains(err.Error(), want)) {
			t.Errorf("%s gave %v", url, err)
		}
	}
	if got, err := WithPassword("clickhouse://tandem@db:9000/t", "a:b@c/d"); err != nil || got != "clickhouse://tandem:a%3Ab%40c%2Fd@db:9000/t" {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := WithPassword("clickhouse://tandem:secret@d b/t", "x"); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("an error shows the password: %v", err)
	}
	if Temporary(errors.New("x")) {
		t.Error("an unknown error is not temporary")
	}
}
