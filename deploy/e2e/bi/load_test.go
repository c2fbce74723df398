package bi

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"
)

// heavy keeps a processor and more busy for as long as it is let.
const heavy = "SELECT count() FROM (SELECT cityHash64(a.number, b.number) % 1000000 AS g, count() FROM numbers_mt(20000) AS a, numbers(50000) AS b GROUP BY g)"

// insertTimes inserts batches as ingestion does and returns how long each took, in order of length.
func insertTimes(ctx context.Context, t *testing.T, batches int) []time.Duration {
	t.Helper()
	times := make([]time.Duration, batches)
	for i := range times {
		began := time.Now()
		const insert = `INSERT INTO tandem.behaviour_event (behaviour_event_id, kind, business_date, version)
			SELECT number, 'site_visit', '2026-06-30', 1 FROM numbers(20000) SETTINGS async_insert = 0`
		if err := star.admin.Exec(ctx, insert); err != nil {
			t.Fatal(err)
		}
		times[i] = time.Since(began)
	}
	slices.Sort(times)
	return times
}

// While analysts ask as much as they may, batches of ingestion are stored as before, but for the share of the processors
// that the analysts have. It runs alone: it is about time.
func TestAnalystsDoNotHoldUpIngestion(t *testing.T) { //nolint:paralleltest // see above
	const batches = 15
	alone := insertTimes(t.Context(), t, batches)
	ctx, stop := context.WithCancel(t.Context())
	var analysts sync.WaitGroup
	const questions = 6
	for range questions {
		analysts.Go(func() {
			for ctx.Err() == nil {
				_, _ = star.ask(ctx, "bi", heavy) // ends with the test
			}
		})
	}
	waitForQueries(t, questions)
	beside := insertTimes(ctx, t, batches)
	stop()
	analysts.Wait()
	t.Logf("a batch of 20 000 rows takes %s alone and %s beside %d heavy questions; the longest %s and %s",
		alone[batches/2], beside[batches/2], questions, alone[batches-1], beside[batches-1])
	// A small machine gives an insert a fourth of what it had; starved, it would wait for the analysts' queries to end.
	if limit := 12*alone[batches/2] + time.Second; beside[batches/2] > limit {
		t.Errorf("a batch takes %s, want at most %s", beside[batches/2], limit)
	}
}

// waitForQueries waits until the analysts' queries run.
func waitForQueries(t *testing.T, n uint64) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; {
		var running uint64
		row := star.admin.QueryRow(t.Context(), "SELECT count() FROM system.processes WHERE user = 'bi'")
		if err := row.Scan(&running); err != nil {
			t.Fatal(err)
		}
		if running >= n {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("only %d of %d queries run", running, n)
		}
	}
}
