package bi

import (
	"bytes"
	"encoding/json"
	"maps"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// debianEnv makes the tests of Debian's clients fail when a client is missing; .ci/run sets it.
const debianEnv = "TANDEM_TEST_DEBIAN_CLIENTS"

// forbidden are queries that no client may get through: all tricks, but for those that set something for a whole connection.
func forbidden() []string {
	out := []string{"SELECT * FROM tandem.customer_lookup LIMIT 1", "SELECT * FROM tandem.transaction LIMIT 1"}
	for _, sql := range slices.Sorted(maps.Keys(tricks)) {
		if !strings.HasPrefix(sql, "SET ") {
			out = append(out, sql)
		}
	}
	return out
}

// answer is what the programs in the folder client say about a query.
type answer struct {
	Rows  int    `json:"rows"`
	Error string `json:"error"`
}

// converse gives a program all views to read and everything forbidden, and checks its answers.
func converse(t *testing.T, program string, args ...string) {
	t.Helper()
	views := star.views(t)
	var in bytes.Buffer
	lines := json.NewEncoder(&in)
	for _, view := range views {
		if err := lines.Encode("SELECT * FROM bi." + view + " LIMIT 5"); err != nil {
			t.Fatal(err)
		}
	}
	refused := forbidden()
	for _, sql := range refused {
		if err := lines.Encode(sql); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir, cmd.Stdin = filepath.Join(star.root, "deploy", "e2e", "bi", "client"), &in
	host, port := nativeAddress(t)
	cmd.Env = append(os.Environ(), "CLICKHOUSE_URL="+star.Engines.ClickHouseHTTPURL(), "CLICKHOUSE_HOST="+host, "CLICKHOUSE_PORT="+port,
		"CLICKHOUSE_USER=bi", "CLICKHOUSE_PASSWORD="+star.password)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, errs.String())
	}
	answers := json.NewDecoder(bytes.NewReader(out))
	for i, name := range append(views, refused...) {
		var a answer
		if err := answers.Decode(&a); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
		if i < len(views) && (a.Error != "" || (a.Rows == 0 && name != "fact_clv")) {
			t.Errorf("%s: %d rows, %s", name, a.Rows, a.Error)
		}
		if i >= len(views) && a.Error == "" {
			t.Errorf("%s gave %d rows", name, a.Rows)
		}
	}
}

func nativeAddress(t *testing.T) (host, port string) {
	t.Helper()
	parsed, err := url.Parse(star.Engines.ClickHouse.URL())
	if err == nil {
		host, port, err = net.SplitHostPort(parsed.Host)
	}
	if err != nil {
		t.Fatal(err)
	}
	return host, port
}

// The official JavaScript client, over HTTP.
func TestJavaScriptClient(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(filepath.Join(star.root, "deploy", "e2e", "bi", "client", "node_modules", "@clickhouse", "client")); err != nil {
		t.Fatalf("the client is not there (%v): run `make setup`", err)
	}
	converse(t, "node", "read.mjs")
}

// Debian's python3-clickhouse-driver, over the native protocol.
func TestPythonDriver(t *testing.T) {
	t.Parallel()
	const python = "/usr/bin/python3" // Debian's, which knows Debian's packages
	if debianHas(t, exec.CommandContext(t.Context(), python, "-c", "import clickhouse_driver").Run(), "python3-clickhouse-driver") {
		converse(t, python, "read.py")
	}
}

// Debian's clickhouse-client, over the native protocol. It is of 2018 and knows the types of then.
func TestDebianClient(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("clickhouse-client")
	if !debianHas(t, err, "clickhouse-client") {
		return
	}
	host, port := nativeAddress(t)
	query := func(sql string) (string, error) {
		cmd := exec.CommandContext(t.Context(), program, "--host", host, "--port", port, "--user", "bi", "--password", star.password,
			"--database", "bi", "--max_execution_time", "60", "--query", sql)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	for _, view := range star.views(t) {
		out, err := query("SELECT * FROM bi." + view + " LIMIT 5")
		if err != nil || (strings.TrimSpace(out) == "" && view != "fact_clv") {
			t.Errorf("%s: %v: %.300s", view, err, out)
		}
	}
	for _, sql := range forbidden() {
		if out, err := query(sql); err == nil {
			t.Errorf("%s gave %.300s", sql, out)
		}
	}
}

// debianHas reports whether a package of Debian is there. Where it is not, the same is asked over the native protocol by the
// client that is: `make test` asks for Go, Node and make only. .ci/run installs the packages and wants them.
func debianHas(t *testing.T, missing error, packages string) bool {
	t.Helper()
	if missing == nil {
		return true
	}
	if os.Getenv(debianEnv) != "" {
		t.Fatalf("%v: apt-get install %s", missing, packages)
	}
	t.Logf("%v: without Debian's package (apt-get install %s) the native protocol is tried by the Go client alone", missing, packages)
	converseInGo(t)
	return false
}

// TestGoClient reads all views over the native protocol, and nothing that is forbidden.
func TestGoClient(t *testing.T) {
	t.Parallel()
	converseInGo(t)
}

func converseInGo(t *testing.T) {
	t.Helper()
	host, port := nativeAddress(t)
	conn, err := clickhouse.Open(&clickhouse.Options{
		Addr: []string{net.JoinHostPort(host, port)}, Auth: clickhouse.Auth{Database: "bi", Username: "bi", Password: star.password},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	read := func(sql string) (rows int, err error) {
		found, err := conn.Query(t.Context(), sql)
		if err != nil {
			return 0, err
		}
		defer func() { _ = found.Close() }()
		for found.Next() {
			rows++
		}
		return rows, found.Err()
	}
	for _, view := range star.views(t) {
		if rows, err := read("SELECT * FROM bi." + view + " LIMIT 5"); err != nil || (rows == 0 && view != "fact_clv") {
			t.Errorf("%s: %d rows, %v", view, rows, err)
		}
	}
	for _, sql := range forbidden() {
		if rows, err := read(sql); err == nil {
			t.Errorf("%s gave %d rows", sql, rows)
		}
	}
}
