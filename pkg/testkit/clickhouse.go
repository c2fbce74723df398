package testkit

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// ClickHouse makes an Atomic database for this test and returns its address, user default without a
// password; the database is dropped at the end, and with it the one of views that migrations make beside it.
func ClickHouse(t testing.TB) string {
	t.Helper()
	server := address(t, clickhouseEnv)
	ctx, cancel := context.WithTimeout(t.Context(), setupTimeout)
	defer cancel()
	admin := openClickHouse(t, server)
	if err := admin.Ping(ctx); err != nil {
		t.Fatalf("ClickHouse does not answer (%v): run `make engines` first", err)
	}
	sweepClickHouse(ctx, t, admin)

	name := clickhousePrefix + strconv.FormatInt(time.Now().Unix(), 10) + "_" + random()
	if err := admin.Exec(ctx, "CREATE DATABASE "+name+" ENGINE = Atomic"); err != nil {
		t.Fatalf("create a ClickHouse database for the test: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), setupTimeout)
		defer cancel()
		for _, database := range []string{name + "_bi", name} {
			if err := admin.Exec(ctx, "DROP DATABASE IF EXISTS "+database+" SYNC"); err != nil {
				t.Errorf("drop the test's ClickHouse database: %v", err)
			}
		}
	})
	parsed, err := url.Parse(server)
	if err != nil {
		t.Fatalf("%s is not an address: %v", clickhouseEnv, err)
	}
	parsed.Path = "/" + name
	return parsed.String()
}

// ClickHouseConn is ClickHouse with an open connection, closed at the end of the test.
func ClickHouseConn(t testing.TB) driver.Conn {
	t.Helper()
	return openClickHouse(t, ClickHouse(t))
}

func openClickHouse(t testing.TB, address string) driver.Conn {
	t.Helper()
	options, err := clickhouse.ParseDSN(address)
	if err != nil {
		t.Fatalf("%s is not an address: %v", clickhouseEnv, err)
	}
	conn, err := clickhouse.Open(options)
	if err != nil {
		t.Fatalf("connect to ClickHouse: %v", err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // runs after the database was dropped
	return conn
}

// Databases of tests are called tandem_test_<unix time>_<random>, so that what a killed test run left behind
// can be told by its age.
const (
	clickhousePrefix = "tandem_test_"
	clickhouseAgeMax = time.Hour
)

var clickhouseSweep sync.Once

// sweepClickHouse drops old test databases, once per process.
func sweepClickHouse(ctx context.Context, t testing.TB, admin driver.Conn) {
	t.Helper()
	clickhouseSweep.Do(func() {
		var names []string
		row := admin.QueryRow(ctx, "SELECT groupArray(name) FROM system.databases WHERE startsWith(name, '"+clickhousePrefix+"')")
		if err := row.Scan(&names); err != nil {
			t.Fatalf("list the ClickHouse databases: %v", err)
		}
		for _, name := range names {
			made, _, _ := strings.Cut(strings.TrimPrefix(name, clickhousePrefix), "_")
			seconds, err := strconv.ParseInt(made, 10, 64)
			if err != nil || time.Since(time.Unix(seconds, 0)) < clickhouseAgeMax {
				continue
			}
			if err := admin.Exec(ctx, "DROP DATABASE IF EXISTS "+name+" SYNC"); err != nil {
				t.Fatalf("drop the old test database %s: %v", name, err)
			}
		}
	})
}
