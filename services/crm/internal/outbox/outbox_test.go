package outbox_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"tandem.bank/pkg/natsx"
	"tandem.bank/pkg/testkit"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/outbox"
	"tandem.bank/services/crm/migrations"
)

var template = testkit.Template{Name: "crm", Migrate: migrations.Migrate}

func card(id, version int64) *eventsv1.Change {
	return &eventsv1.Change{
		EntityId: id, Version: version,
		Payload: &eventsv1.Change_Card{Card: &eventsv1.CardState{CustomerId: 7, State: "active"}},
	}
}

func appendChanges(ctx context.Context, t *testing.T, pool *pgxpool.Pool, changes ...*eventsv1.Change) (time.Time, error) {
	t.Helper()
	var now time.Time
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, "SELECT now()").Scan(&now); err != nil {
			return err
		}
		return outbox.Append(ctx, tx, changes)
	})
	return now, err
}

func TestAppendCompletesAndStores(t *testing.T) {
	t.Parallel()
	pool := testkit.Postgres(t, template)
	traceID, _ := trace.TraceIDFromHex("4bf92f3577b34da6a3ce929d0e0e4736")
	spanID, _ := trace.SpanIDFromHex("00f067aa0ba902b7")
	ctx := trace.ContextWithSpanContext(outbox.WithActor(t.Context(), "teller-9"),
		trace.NewSpanContext(trace.SpanContextConfig{TraceID: traceID, SpanID: spanID, TraceFlags: trace.FlagsSampled}))

	first, second := card(1, 3), card(2, 1)
	second.Deleted = true
	now, err := appendChanges(ctx, t, pool, first, second)
	if err != nil {
		t.Fatal(err)
	}

	rows, err := pool.Query(ctx, "SELECT event_id::text, entity, entity_id, version, deleted, payload, created_at FROM outbox ORDER BY outbox_id")
	if err != nil {
		t.Fatal(err)
	}
	type row struct {
		EventID, Entity   string
		EntityID, Version int64
		Deleted           bool
		Payload           []byte
		CreatedAt         time.Time
	}
	stored, err := pgx.CollectRows(rows, pgx.RowToStructByPos[row])
	if err != nil {
		t.Fatal(err)
	}
	if len(stored) != 2 {
		t.Fatalf("stored %d rows, want 2", len(stored))
	}
	for i, want := range []*eventsv1.Change{first, second} {
		got := stored[i]
		if id, err := uuid.Parse(got.EventID); err != nil || id.Version() != 7 {
			t.Errorf("event id %q is no UUIDv7", got.EventID)
		}
		var change eventsv1.Change
		if err := proto.Unmarshal(got.Payload, &change); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, &change, protocmp.Transform()); diff != "" {
			t.Errorf("payload differs from the completed change (-want +got):\n%s", diff)
		}
		if got.Entity != "card" || got.EntityID != want.GetEntityId() || got.Version != want.GetVersion() ||
			got.Deleted != want.GetDeleted() || got.EventID != want.GetEventId() {
			t.Errorf("columns of row %d do not match the change: %+v", i, got)
		}
		if !change.GetChangeTime().AsTime().Equal(now) || !got.CreatedAt.Equal(now) {
			t.Errorf("change time %s, row time %s, want the transaction's %s", change.GetChangeTime().AsTime(), got.CreatedAt, now)
		}
		if change.GetActor() != "teller-9" || change.GetTraceParent() != "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" {
			t.Errorf("actor %q, trace %q", change.GetActor(), change.GetTraceParent())
		}
	}
}

func TestAppendKeepsWhatIsSet(t *testing.T) {
	t.Parallel()
	pool := testkit.Postgres(t, template)
	change := card(1, 1)
	change.Actor, change.EventId = "import", "0199f3a0-0000-7000-8000-000000000001"
	if _, err := appendChanges(t.Context(), t, pool, change, card(2, 1)); err != nil {
		t.Fatal(err)
	}
	if change.GetActor() != "import" || change.GetEventId() != "0199f3a0-0000-7000-8000-000000000001" {
		t.Errorf("actor and event id were replaced: %v", change)
	}
	if got := outbox.Actor(t.Context()); got != outbox.ActorSystem {
		t.Errorf("actor without a name is %q", got)
	}
}

func TestAppendRefuses(t *testing.T) {
	t.Parallel()
	pool := testkit.Postgres(t, template)
	large := card(1, 1)
	large.GetCard().Scheme = string(make([]byte, natsx.PayloadBytesMax))
	wrongEntity := card(1, 1)
	wrongEntity.Entity = "account"
	for name, change := range map[string]*eventsv1.Change{
		"no payload":    {EntityId: 1, Version: 1},
		"no version":    card(1, 0),
		"other entity":  wrongEntity,
		"too large":     large,
		"not a uuid id": {EventId: "x", EntityId: 1, Version: 1, Payload: card(1, 1).GetPayload()},
	} {
		_, err := appendChanges(t.Context(), t, pool, card(9, 1), change)
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
		if tooLarge := errors.Is(err, outbox.ErrTooLarge); tooLarge != (name == "too large") {
			t.Errorf("%s: ErrTooLarge is %t", name, tooLarge)
		}
	}
	var count int
	if err := pool.QueryRow(t.Context(), "SELECT count(*) FROM outbox").Scan(&count); err != nil || count != 0 {
		t.Errorf("refused changes left %d rows (%v)", count, err)
	}
}

func TestTableIsInsertOnly(t *testing.T) {
	t.Parallel()
	pool := testkit.Postgres(t, template)
	if _, err := appendChanges(t.Context(), t, pool, card(1, 1)); err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{"DELETE FROM outbox", "UPDATE outbox SET version = 2", "TRUNCATE outbox"} {
		_, err := pool.Exec(t.Context(), sql)
		var refused *pgconn.PgError
		if !errors.As(err, &refused) || refused.Code != "23001" {
			t.Errorf("%s: %v, want restrict_violation", sql, err)
		}
	}
}

func changes(n int) []*eventsv1.Change {
	out := make([]*eventsv1.Change, n)
	for i := range out {
		out[i] = card(int64(i+1), 1)
	}
	return out
}

func cancelable(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	return ctx, cancel
}
