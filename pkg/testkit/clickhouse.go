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

	"tandem.bank/pkg/clickhousex"
)

// ClickHouse makes an Atomic database for this test and returns its address, user default without a
// password; the database is dropped at the end.
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

	servers := clickhouseServers(ctx, t, server, admin)
	name := clickhousePrefix + strconv.FormatInt(time.Now().Unix(), 10) + "_" + random()
	if err := admin.Exec(ctx, "CREATE DATABASE "+name+" ENGINE = Atomic"); err != nil {
		t.Fatalf("create a ClickHouse database for the test: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), setupTimeout)
		defer cancel()
		for _, one := range servers {
			dropDatabases(ctx, t, one, name)
		}
	})
	parsed, err := url.Parse(server)
	if err != nil {
		t.Fatalf("%s is not an address: %v", clickhouseEnv, err)
	}
	parsed.Path = "/" + name
	return parsed.String()
}

// DropClickHouse drops the test's database before the end of the test, as if the server had been lost.
func DropClickHouse(t testing.TB, address string) {
	t.Helper()
	parsed, err := clickhousex.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	name := parsed.Options.Auth.Database
	parsed.Options.Auth.Database = ""
	admin := openOptions(t, &parsed.Options)
	for _, server := range clickhouseServers(t.Context(), t, address, admin) {
		dropDatabases(t.Context(), t, server, name)
	}
}

// ClickHouseConn is ClickHouse with an open connection, closed at the end of the test.
func ClickHouseConn(t testing.TB) driver.Conn {
	t.Helper()
	return openClickHouse(t, ClickHouse(t))
}

func openClickHouse(t testing.TB, address string) driver.Conn {
	t.Helper()
	parsed, err := clickhousex.Parse(address)
	if err != nil {
		t.Fatalf("%s is not an address: %v", clickhouseEnv, err)
	}
	return openOptions(t, &parsed.Options)
}

func openOptions(t testing.TB, options *clickhouse.Options) driver.Conn {
	t.Helper()
	conn, err := clickhouse.Open(options)
	if err != nil {
		t.Fatalf("connect to ClickHouse: %v", err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // runs after the database was dropped
	return conn
}

// clickhouseServers are connections to all servers of the cluster, or to the one there is.
func clickhouseServers(ctx context.Context, t testing.TB, address string, admin driver.Conn) []driver.Conn {
	t.Helper()
	parsed, err := clickhousex.Parse(address)
	if err != nil {
		t.Fatalf("%s is not an address: %v", clickhouseEnv, err)
	}
	if parsed.Cluster == "" {
		return []driver.Conn{admin}
	}
	nodes, err := clickhousex.Nodes(ctx, admin, parsed.Cluster)
	if err != nil {
		t.Fatal(err)
	}
	var servers []driver.Conn
	for _, node := range nodes {
		servers = append(servers, openOptions(t, parsed.On(node, "")))
	}
	return servers
}

// dropDatabases drops the database of a test, and those whose names it begins.
func dropDatabases(ctx context.Context, t testing.TB, server driver.Conn, name string) {
	t.Helper()
	var names []string
	row := server.QueryRow(ctx, "SELECT groupArray(name) FROM system.databases WHERE startsWith(name, ?)", name)
	if err := row.Scan(&names); err != nil {
		t.Errorf("list the test's ClickHouse databases: %v", err)
	}
	for _, one := range names {
		if err := server.Exec(ctx, "DROP DATABASE IF EXISTS "+one+" SYNC"); err != nil {
			t.Errorf("drop the test's ClickHouse database: %v", err)
		}
	}
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
