package engine_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"tandem.bank/deploy/local/engine"
	"tandem.bank/deploy/local/project"
)

// The children run in the test program itself.
func TestMain(m *testing.M) {
	engine.RunIfChild()
	runIfParent()
	os.Exit(m.Run())
}

// root is the project's folder.
func root(t *testing.T) string {
	t.Helper()
	dir, err := project.Root(".")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func packages(t *testing.T) engine.Packages {
	t.Helper()
	return engine.Packages{Dir: filepath.Join(root(t), "deploy", "local", "engines")}
}

func newPostgres(t *testing.T, dataDir string) *engine.Postgres {
	t.Helper()
	return engine.NewPostgres(engine.PostgresConfig{
		DataDir: dataDir, ConfigFile: filepath.Join(root(t), "deploy", "postgres", "postgresql.conf"),
		Packages: packages(t),
	})
}

func newNATS(t *testing.T, dataDir string) *engine.NATS {
	t.Helper()
	return engine.NewNATS(engine.NATSConfig{
		DataDir: dataDir, ConfigFile: filepath.Join(root(t), "deploy", "nats", "nats.conf"),
	})
}

func newClickHouse(t *testing.T, dataDir string) *engine.ClickHouse {
	t.Helper()
	return engine.NewClickHouse(engine.ClickHouseConfig{
		DataDir: dataDir, ConfigDir: filepath.Join(root(t), "deploy", "clickhouse"),
		Packages: packages(t), Password: "secret",
	})
}

// start starts the engine and stops it at the end of the test.
func start(t *testing.T, e engine.Engine) {
	t.Helper()
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

// crash kills the engine in the way of kill -9 and starts it again at the same address.
func crash(t *testing.T, e engine.Engine) {
	t.Helper()
	before, pid := e.URL(), e.Process().PID()
	e.Kill()
	if alive(pid) {
		t.Fatalf("%s is alive after kill -9", e.Name())
	}
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if e.URL() != before {
		t.Errorf("%s moved from %s to %s", e.Name(), before, e.URL())
	}
}

// stop stops the engine and checks that nothing stays behind.
func stop(t *testing.T, e engine.Engine) {
	t.Helper()
	pid := e.Process().PID()
	if err := e.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if alive(pid) {
		t.Errorf("process %d of %s is alive after the stop", pid, e.Name())
	}
}

func alive(pid int) bool { return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

// What was committed is there after kill -9 and after a clean stop.
func TestPostgresKeepsData(t *testing.T) {
	t.Parallel()
	e := newPostgres(t, t.TempDir())
	start(t, e)
	query := func(sql string) (answer string) {
		t.Helper()
		conn, err := pgx.Connect(t.Context(), e.URL())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close(context.Background()) }()
		if err := conn.QueryRow(t.Context(), sql).Scan(&answer); err != nil {
			t.Fatal(err)
		}
		return answer
	}
	query("WITH made AS (SELECT pg_create_logical_replication_slot('relay', 'pgoutput')) SELECT 'ok' FROM made")
	conn, err := pgx.Connect(t.Context(), e.URL())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "CREATE TABLE client AS SELECT generate_series(1, 1000) AS id"); err != nil {
		t.Fatal(err)
	}
	_ = conn.Close(t.Context())

	crash(t, e)
	const count = "SELECT count(*) || ' ' || (SELECT slot_name FROM pg_replication_slots) FROM client"
	if got := query(count); got != "1000 relay" {
		t.Errorf("after kill -9: %q, want %q", got, "1000 relay")
	}
	stop(t, e)
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := query(count); got != "1000 relay" {
		t.Errorf("after a clean stop: %q, want %q", got, "1000 relay")
	}
}

// Acknowledged messages are there after kill -9 and after a clean stop.
func TestNATSKeepsMessages(t *testing.T) {
	t.Parallel()
	e := newNATS(t, t.TempDir())
	start(t, e)
	stream := func() jetstream.Stream {
		t.Helper()
		conn, err := nats.Connect(e.URL())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(conn.Close)
		js, err := jetstream.New(conn)
		if err != nil {
			t.Fatal(err)
		}
		s, err := js.CreateOrUpdateStream(t.Context(), jetstream.StreamConfig{Name: "CRM", Subjects: []string{"crm.>"}})
		if err != nil {
			t.Fatal(err)
		}
		for range 100 {
			if _, err := js.Publish(t.Context(), "crm.v1.card.upserted", []byte("x")); err != nil {
				t.Fatal(err)
			}
		}
		return s
	}
	stream()
	crash(t, e)
	stream()
	stop(t, e)
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	info, err := stream().Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if info.State.Msgs != 300 {
		t.Errorf("the stream holds %d messages, want 300", info.State.Msgs)
	}
}

// Inserted rows are there after kill -9 and after a clean stop; the pinned settings and the users hold.
func TestClickHouseKeepsData(t *testing.T) {
	t.Parallel()
	e := newClickHouse(t, t.TempDir())
	start(t, e)
	open := func(address string) clickhouse.Conn {
		t.Helper()
		options, err := clickhouse.ParseDSN(address)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := clickhouse.Open(options)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	conn := open(e.URL())
	for _, statement := range []string{
		"CREATE DATABASE bank ENGINE = Atomic",
		"CREATE TABLE bank.client (id UInt64) ENGINE = MergeTree ORDER BY id",
		"INSERT INTO bank.client SELECT number FROM numbers(100000)",
		"INSERT INTO bank.client SELECT number FROM numbers(100000)",
	} {
		if err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	check := func(when string) {
		t.Helper()
		var rows uint64
		var async, user string
		service := open("clickhouse://tandem:secret@" + e.URL()[len("clickhouse://default@"):])
		row := service.QueryRow(t.Context(), `SELECT count(), toString(getSetting('async_insert')), currentUser() FROM bank.client`)
		if err := row.Scan(&rows, &async, &user); err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		if rows != 200000 || async != "false" || user != "tandem" {
			t.Errorf("%s: %d rows, async_insert %s, user %s; want 200000 rows, false, tandem", when, rows, async, user)
		}
	}
	check("at first")
	crash(t, e)
	check("after kill -9")
	stop(t, e)
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	check("after a clean stop")
	if err := open("clickhouse://tandem:wrong@" + e.URL()[len("clickhouse://default@"):]).Ping(t.Context()); err == nil {
		t.Error("a wrong password is accepted")
	}
}

// A client that breaks off in the middle of a packet, as one does that is killed, takes nobody with it.
func TestClickHouseSurvivesBrokenClients(t *testing.T) {
	t.Parallel()
	e := newClickHouse(t, t.TempDir())
	start(t, e)
	for range 3 {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", e.URL()[len("clickhouse://default@"):])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write([]byte("this is no greeting of the native protocol")); err != nil {
			t.Error(err)
		}
		_, _ = io.Copy(io.Discard, conn) // until the server gives up on us
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := engine.PingClickHouse(t.Context(), e.URL()); err != nil {
		t.Error(err)
	}
}

// A clone in a private home folder works, also when Postgres runs under another user there.
func TestPostgresInPrivateFolder(t *testing.T) {
	t.Parallel()
	home := filepath.Join(t.TempDir(), "home")
	if err := os.Mkdir(home, 0o700); err != nil {
		t.Fatal(err)
	}
	e := newPostgres(t, filepath.Join(home, "data"))
	start(t, e)
	crash(t, e)
	if err := engine.PingPostgres(t.Context(), e.URL()); err != nil {
		t.Error(err)
	}
}

// A taken port and a missing package are one sentence that says what to do.
func TestStartErrors(t *testing.T) {
	t.Parallel()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() }) // after the subtests
	port := listener.Addr().(*net.TCPAddr).Port
	number := strconv.Itoa(port)
	empty := engine.Packages{Dir: t.TempDir()}

	for name, test := range map[string]struct {
		engine engine.Engine
		want   string
	}{
		"taken port": {
			engine.NewNATS(engine.NATSConfig{Port: port, DataDir: t.TempDir()}),
			"port " + number + " for NATS is already in use: stop the program that uses it or choose another port with --nats-port",
		},
		"no Postgres": {
			engine.NewPostgres(engine.PostgresConfig{DataDir: t.TempDir(), Packages: empty}),
			"the package of Postgres is missing",
		},
		"no ClickHouse": {
			engine.NewClickHouse(engine.ClickHouseConfig{DataDir: t.TempDir(), Packages: empty}),
			"the package of ClickHouse is missing",
		},
		"given engine is away": {
			engine.NewExisting("Postgres", "postgres://x:secret@127.0.0.1:1/x", engine.PingPostgres),
			"Postgres does not answer at the given address postgres://x:xxxxx@127.0.0.1:1/x",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := test.engine.Start(t.Context())
			if err == nil {
				t.Fatal("it started")
			}
			if got := err.Error(); len(got) < len(test.want) || got[:len(test.want)] != test.want {
				t.Errorf("the error is %q, want it to begin with %q", got, test.want)
			}
		})
	}
}

// A start that fails shows the end of the engine's log.
func TestFailedStartShowsLog(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "nats.conf")
	if err := os.WriteFile(config, []byte("max_payload: [\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	err := engine.NewNATS(engine.NATSConfig{DataDir: t.TempDir(), ConfigFile: config}).Start(t.Context())
	if err == nil || !contains(err.Error(), "NATS ended with exit status 1", "nats.log:\n", "read "+config) {
		t.Errorf("the error is %v, want one with the end of the log", err)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("it took %s to notice", took)
	}
}
