// Package warehousetest gives a test a warehouse of its own on the engine that the tests run on, and fills it as ingestion does.
package warehousetest

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/testkit"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/customerfact"
	"tandem.bank/services/analytics/internal/definition"
	"tandem.bank/services/analytics/internal/fact"
	"tandem.bank/services/analytics/internal/segment"
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
	facts, err := customerfact.New(customerfact.Config{
		Warehouse: conn, TimeZone: time.UTC, Logger: slog.New(slog.NewTextHandler(t.Output(), nil)), Now: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return facts
}

// Segments compiles filters over a warehouse, in the bank of Facts; nothing is followed.
func Segments(t testing.TB, conn driver.Conn, facts *customerfact.Service, now func() time.Time) *segment.Service {
	t.Helper()
	segments, err := segment.New(segment.Config{
		Warehouse: conn, Facts: facts, Definitions: definition.NewStore(conn), NewestChange: now, TimeZone: time.UTC,
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)), Registry: prometheus.NewRegistry(), Now: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return segments
}

// Dynamic is the change that saves a segment; names of different lengths are different definitions here.
func Dynamic(name, expression string) *eventsv1.Change {
	const numbers = 1000
	at := timestamppb.New(Day("2026-01-01"))
	return &eventsv1.Change{
		Entity: "definition", EntityId: int64(numbers + len(name)), Version: 1, ChangeTime: at,
		Payload: &eventsv1.Change_Definition{Definition: &eventsv1.DefinitionState{
			Name: name, Title: name, Kind: definition.KindSegment, State: "active", Owner: "eva", SpecVersion: 1, SpecTime: at,
			Spec: &definitionv1.Spec{Kind: &definitionv1.Spec_Segment{Segment: &definitionv1.SegmentDefinition{
				Kind: &definitionv1.SegmentDefinition_Dynamic{Dynamic: &definitionv1.DynamicSegment{Expression: expression}},
			}}},
		}},
	}
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
