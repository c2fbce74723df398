package conformance

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"google.golang.org/protobuf/proto"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// testTogether lets several callers write the same keys at once, each in an order of its own: every row must be taken,
// and each record must have exactly one version and one event for each row that says it was created or updated.
func testTogether(t *testing.T, b *bank, k kind) {
	const callers, rounds, rows = 4, 6, 40
	var mu sync.Mutex
	created, writes := map[int64]int{}, map[int64]int{}
	count := func(results []*crmv1.UpsertResult) error {
		mu.Lock()
		defer mu.Unlock()
		for _, r := range results {
			switch r.GetOutcome() {
			case crmv1.UpsertOutcome_UPSERT_OUTCOME_CREATED:
				created[r.GetId()]++
				writes[r.GetId()]++
			case crmv1.UpsertOutcome_UPSERT_OUTCOME_UPDATED:
				writes[r.GetId()]++
			case crmv1.UpsertOutcome_UPSERT_OUTCOME_UNSPECIFIED:
				return errors.New(r.GetError().GetMessage())
			case crmv1.UpsertOutcome_UPSERT_OUTCOME_UNCHANGED:
			}
		}
		return nil
	}
	var callersDone sync.WaitGroup
	errs := make([]error, callers)
	for caller := range callers {
		callersDone.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(caller)))
			for round := range rounds {
				batch := make([]proto.Message, 0, rows)
				// Each round brings some new keys; half of the others are left out.
				for _, n := range random.Perm(rows * (round + 1) / rounds) {
					if random.IntN(2) == 0 {
						batch = append(batch, k.changed(n, caller+callers*round))
					}
				}
				if len(batch) == 0 {
					continue
				}
				results, err := b.batch(t.Context(), k, batch, "", false)
				if err = errors.Join(err, count(results)); err != nil {
					errs[caller] = fmt.Errorf("caller %d, round %d: %w", caller, round, err)
					return
				}
			}
		})
	}
	callersDone.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if stored := b.pages(t, k, 1000, k.mine(), nil); len(stored) != len(created) {
		t.Errorf("%d records are stored, %d were created", len(stored), len(created))
	}
	for id, n := range writes {
		if created[id] != 1 {
			t.Errorf("record %d was created %d times", id, created[id])
		}
		b.wantVersions(t, k, id, n)
	}
}
