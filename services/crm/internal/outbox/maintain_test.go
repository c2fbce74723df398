package outbox_test

import (
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"tandem.bank/pkg/testkit"
	"tandem.bank/services/crm/internal/outbox"
)

const testSlot = "test_slot"

func newMaintainer(t *testing.T, pool *pgxpool.Pool) *outbox.Maintainer {
	t.Helper()
	m, err := outbox.NewMaintainer(outbox.MaintainerConfig{
		Pool: pool, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), SlotName: testSlot, DaysAhead: 2,
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func maintain(t *testing.T, m *outbox.Maintainer) {
	t.Helper()
	if err := m.Maintain(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func partitions(t *testing.T, pool *pgxpool.Pool) []string {
	t.Helper()
	rows, err := pool.Query(t.Context(), "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'outbox'::regclass ORDER BY 1")
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// insertAt writes a row of an earlier day, which only a test can.
func insertAt(t *testing.T, pool *pgxpool.Pool, createdAt time.Time) {
	t.Helper()
	_, err := pool.Exec(t.Context(), `INSERT INTO outbox (created_at, event_id, entity, entity_id, version, deleted, payload)
		VALUES ($1, gen_random_uuid(), 'card', 1, 1, false, '\x01')`, createdAt)
	if err != nil {
		t.Fatal(err)
	}
}

func day(offset int) string { return time.Now().UTC().AddDate(0, 0, offset).Format("20060102") }

func daysAgo(n int) time.Time { return time.Now().UTC().AddDate(0, 0, -n) }

func TestMaintainCreatesAhead(t *testing.T) {
	t.Parallel()
	pool := testkit.Postgres(t, template)
	m := newMaintainer(t, pool)
	maintain(t, m)
	maintain(t, m) // a second round finds nothing to do
	want := []string{"outbox_" + day(0), "outbox_" + day(1), "outbox_" + day(2), "outbox_default"}
	if got := partitions(t, pool); !slices.Equal(got, want) {
		t.Errorf("partitions %v, want %v", got, want)
	}
	if _, err := appendChanges(t.Context(), t, pool, card(1, 1)); err != nil {
		t.Fatal(err)
	}
	var in string
	if err := pool.QueryRow(t.Context(), "SELECT tableoid::regclass::text FROM outbox").Scan(&in); err != nil || in != want[0] {
		t.Errorf("today's row is in %s (%v), want %s", in, err, want[0])
	}
}

func TestMaintainDoesNotWaitForWriters(t *testing.T) {
	t.Parallel()
	pool := testkit.Postgres(t, template)
	maintain(t, newMaintainer(t, pool))
	if _, err := pool.Exec(t.Context(), "DROP TABLE outbox_"+day(2)); err != nil {
		t.Fatal(err)
	}
	// A transaction that has written and is still open must not be in the way of new partitions.
	err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		if err := outbox.Append(t.Context(), tx, changes(1)); err != nil {
			return err
		}
		return newMaintainer(t, pool).Maintain(t.Context())
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := partitions(t, pool); !slices.Contains(got, "outbox_"+day(2)) {
		t.Errorf("partitions %v lack the one that was missing", got)
	}
}

func TestRowsWithoutPartitionAreKept(t *testing.T) {
	t.Parallel()
	pool := testkit.Postgres(t, template)
	// Maintenance was away for days: the writes went on.
	for _, ago := range []int{3, 2, 0} {
		insertAt(t, pool, daysAgo(ago))
	}
	m := newMaintainer(t, pool)
	maintain(t, m)
	settled := fmt.Sprintf("outbox_%s_%s", day(-3), day(0))
	want := []string{settled, "outbox_" + day(1), "outbox_" + day(2), "outbox_default"}
	if got := partitions(t, pool); !slices.Equal(got, want) {
		t.Errorf("partitions %v, want %v", got, want)
	}
	insertAt(t, pool, time.Now()) // today goes on in the settled one
	maintain(t, m)
	var count, inDefault int
	err := pool.QueryRow(t.Context(), "SELECT count(*), (SELECT count(*) FROM outbox_default) FROM "+settled).Scan(&count, &inDefault)
	if err != nil || count != 4 || inDefault != 0 {
		t.Errorf("%d rows settled, %d in the default (%v), want 4 and 0", count, inDefault, err)
	}
	// And once more: the name of the new default's index must be free.
	insertAt(t, pool, time.Now().AddDate(0, 0, 5))
	maintain(t, m)
	if got := partitions(t, pool); !slices.Contains(got, "outbox_"+day(5)) {
		t.Errorf("partitions %v lack the second settled one", got)
	}
}

func TestDropsOnlyWhatIsPublished(t *testing.T) {
	t.Parallel()
	pool := testkit.Postgres(t, template)
	m := newMaintainer(t, pool)
	insertAt(t, pool, daysAgo(9))
	maintain(t, m) // settles as the partition of that day
	old := "outbox_" + day(-9)

	relayState := func(sql string) {
		t.Helper()
		if _, err := pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	keeps := func(why string) {
		t.Helper()
		maintain(t, m)
		if !slices.Contains(partitions(t, pool), old) {
			t.Fatalf("dropped although %s", why)
		}
	}
	keeps("no relay has run")
	relayState(`INSERT INTO outbox_relay (slot_name, system_identifier, published_before)
		SELECT 'test_slot', system_identifier, (SELECT min(xact_id) FROM outbox) FROM pg_control_system()`)
	keeps("the watermark stands below its row")
	relayState("UPDATE outbox_relay SET published_before = pg_current_xact_id(), system_identifier = 1")
	keeps("the watermark is of another cluster")
	relayState("UPDATE outbox_relay SET system_identifier = c.system_identifier FROM pg_control_system() c")
	maintain(t, m)
	if got := partitions(t, pool); slices.Contains(got, old) {
		t.Errorf("%s is published and old, and still there: %v", old, got)
	}
}

func TestMaintainerRunStopsWithItsContext(t *testing.T) {
	t.Parallel()
	pool := testkit.Postgres(t, template)
	done := make(chan error, 1)
	ctx, cancel := cancelable(t)
	go func() { done <- newMaintainer(t, pool).Run(ctx) }()
	testkit.Eventually(t, testkit.Patience, func() error {
		if len(partitions(t, pool)) < 4 {
			return fmt.Errorf("only %v", partitions(t, pool))
		}
		return nil
	})
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run: %v", err)
	}
}
