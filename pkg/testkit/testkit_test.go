package testkit_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go/jetstream"

	"tandem.bank/pkg/testkit"
)

var migrations atomic.Int32

// people is a template with one table.
var people = testkit.Template{Name: "people", Migrate: func(ctx context.Context, url string) error {
	migrations.Add(1)
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "CREATE TABLE person (name text PRIMARY KEY)")
	return errors.Join(err, conn.Close(ctx))
}}

// Two tests with the same template see their own rows, and the migrations run once.
func TestPostgresDatabasesAreSeparate(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"first", "second"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := testkit.Postgres(t, people)
			if _, err := pool.Exec(t.Context(), "INSERT INTO person VALUES ('Anna')"); err != nil {
				t.Fatal(err)
			}
			var count int
			if err := pool.QueryRow(t.Context(), "SELECT count(*) FROM person").Scan(&count); err != nil {
				t.Fatal(err)
			}
			if count != 1 {
				t.Errorf("there are %d persons, want 1", count)
			}
			if got := migrations.Load(); got != 1 {
				t.Errorf("the migrations ran %d times, want 1", got)
			}
		})
	}
}

// A database is dropped at the end even when it still has a replication slot.
func TestPostgresDatabaseWithSlotIsDropped(t *testing.T) {
	t.Parallel()
	var url, name string
	t.Run("use", func(t *testing.T) {
		url = testkit.PostgresDatabase(t, testkit.Template{})
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close(context.Background()) }()
		query := "SELECT current_database(), pg_create_logical_replication_slot(current_database(), 'pgoutput')::text"
		var slot string
		if err := conn.QueryRow(t.Context(), query).Scan(&name, &slot); err != nil {
			t.Fatal(err)
		}
	})
	if conn, err := pgx.Connect(t.Context(), url); err == nil {
		_ = conn.Close(t.Context())
		t.Errorf("the database %s is still there", name)
	}
}

// Each ClickHouse test works in an Atomic database of its own.
func TestClickHouse(t *testing.T) {
	t.Parallel()
	conn := testkit.ClickHouseConn(t)
	if err := conn.Exec(t.Context(), "CREATE TABLE person (name String) ENGINE = MergeTree ORDER BY name"); err != nil {
		t.Fatal(err)
	}
	var engine string
	row := conn.QueryRow(t.Context(), "SELECT engine FROM system.databases WHERE name = currentDatabase()")
	if err := row.Scan(&engine); err != nil {
		t.Fatal(err)
	}
	if engine != "Atomic" {
		t.Errorf("the database is %s, want Atomic", engine)
	}
}

// Two servers may hold a stream of the same name.
func TestNATSServersAreSeparate(t *testing.T) {
	t.Parallel()
	for range 2 {
		stream, err := jetstream.New(testkit.NATSConn(t))
		if err != nil {
			t.Fatal(err)
		}
		_, err = stream.CreateStream(t.Context(), jetstream.StreamConfig{Name: "CRM", Subjects: []string{"crm.>"}})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestEventually(t *testing.T) {
	t.Parallel()
	calls := 0
	testkit.Eventually(t, time.Minute, func() error {
		if calls++; calls < 3 {
			return errors.New("not yet")
		}
		return nil
	})
	if calls != 3 {
		t.Errorf("called %d times, want 3", calls)
	}
}

// A missing engine fails the test in one sentence that says what to do.
func TestMissingEngineFails(t *testing.T) {
	t.Setenv("TANDEM_TEST_CLICKHOUSE_URL", "")
	t.Chdir(t.TempDir())
	if _, err := os.Stat(filepath.Join(os.TempDir(), ".local/test/engines.env")); err == nil {
		t.Fatal("the folder for temporary files lies in a project with running engines")
	}
	spy := &failureSpy{TB: t}
	func() {
		defer func() { _ = recover() }() // the spy cannot end the goroutine as Fatalf does
		testkit.ClickHouse(spy)
	}()
	const want = "TANDEM_TEST_CLICKHOUSE_URL is not set and .local/test/engines.env cannot be read"
	if len(spy.message) < len(want) || spy.message[:len(want)] != want {
		t.Errorf("the failure is %q, want it to begin with %q", spy.message, want)
	}
}
