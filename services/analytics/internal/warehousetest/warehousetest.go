// Package warehousetest gives a test a warehouse of its own on the engine that the tests run on, and fills it as ingestion does.
package warehousetest

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/testkit"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/customerfact"
	"tandem.bank/services/analytics/internal/fact"
	"tandem.bank/services/analytics/internal/warehouse"
	"tandem.bank/services/analytics/migrations"
)

// Open connects to a warehouse without rows, which is gone at the end of the test.
func Open(t testing.TB) driver.Conn {
	t.Helper()
	return Connect(t, Migrated(t))
}

// Migrated makes a warehouse without rows and returns its address.
func Migrated(t testing.TB) string {
	t.Helper()
	url := testkit.ClickHouse(t)
	if err := migrations.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	return url
}

// Connect connects to a warehouse until the end of the test.
func Connect(t testing.TB, url string) driver.Conn {
	t.Helper()
	conn, err := warehouse.Open(warehouse.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// Load stores changes as ingestion does.
func Load(t testing.TB, conn driver.Conn, changes ...*eventsv1.Change) {
	t.Helper()
	batch := fact.NewBatch()
	for _, c := range changes {
		data, err := proto.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if err := batch.Add(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := batch.Insert(t.Context(), conn); err != nil {
		t.Fatal(err)
	}
}

// Facts tells facts of customers over a warehouse, in a bank whose zone is UTC and whose clock is now.
func Facts(t testing.TB, conn driver.Conn, now func() time.Time) *customerfact.Service {
	t.Helper()
	facts, err := customerfact.New(customerfact.Config{Warehouse: conn, TimeZone: time.UTC, Logger: slog.New(slog.NewTextHandler(t.Output(), nil)), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return facts
}

// Day is a day at midnight UTC, as "2006-01-02".
func Day(text string) time.Time {
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic(err)
	}
	return day
}

// Published is a publisher for tests that are not about publishing.
type Published struct{}

// Publish says that a run is home.
func (Published) Publish(context.Context, string) error { return nil }
