package customerfact_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/proto"

	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/customerfact"
	"tandem.bank/services/analytics/internal/fact"
)

// keeper is a new process that keeps facts.
func (b *bank) keeper(t testing.TB) *customerfact.Keeper {
	t.Helper()
	k, err := customerfact.NewKeeper(customerfact.KeeperConfig{
		Facts: b.service, Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// ingest stores changes as ingestion does, and says what they were about.
func (b *bank) ingest(t testing.TB, k *customerfact.Keeper, changes ...*eventsv1.Change) {
	t.Helper()
	b.load(t, changes...)
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
	if err := k.Stored(t.Context(), batch.Touched()); err != nil {
		t.Fatal(err)
	}
}

// However changes come, facts that were kept step by step are those that are computed at once, and those of a past day stay what they were
// at its end.
func TestKeptAsComputed(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.service.SetRange(5)
	w := newWorld(1)
	size := change("attribute_definition", 1, 1, "2026-03-01 10:00")
	size.Payload = &eventsv1.Change_AttributeDefinition{AttributeDefinition: &eventsv1.AttributeDefinitionState{
		Name: "size", Title: "Size", Type: "integer", AppliesTo: "any",
	}}
	region := change("region", 1, 1, "2026-03-01 10:00")
	region.Payload = &eventsv1.Change_Region{Region: &eventsv1.RegionState{Name: "North", Population: 1000}}
	b.now = moment("2026-03-01 12:00")
	b.load(t, append(w.changes(b.now, 200), size, region)...)
	catalogue, err := b.service.Catalogue(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	names := catalogue.Names()
	k := b.keeper(t)
	told := customerfact.Change{}
	b.service.OnChange(func(_ context.Context, c customerfact.Change) { told = c })
	past := map[string]map[uint64]map[string]string{}
	for day := 1; day <= 2; day++ {
		b.now = moment("2026-03-01 12:00").AddDate(0, 0, day)
		today := b.now.Format(time.DateOnly)
		if err := k.Once(t.Context()); err != nil { // the day has changed
			t.Fatal(err)
		}
		if !told.Everybody() || told.Causes[0] != customerfact.CauseDay {
			t.Errorf("a new day told %+v", told)
		}
		// A change alone moves some facts only; many together move all.
		for step := range 4 {
			b.ingest(t, k, w.changes(b.now, 1+step/3*15)...)
			if step == 3 { // a process that ended without having done what it wrote down
				k = b.keeper(t)
				err = k.Restarted(t.Context())
			} else {
				err = k.Once(t.Context())
			}
			if err != nil {
				t.Fatal(err)
			}
			kept := b.facts(t, today, nil, names...)
			if diff := cmp.Diff(b.computed(t, today, names...), kept); diff != "" {
				t.Fatalf("%s, step %d: - is computed, + is kept\n%s", today, step, diff)
			}
			if some := b.facts(t, today, []uint64{3}, names...); some[3] != nil && !cmp.Equal(some[3], kept[3]) {
				t.Errorf("customer 3 alone: %v", cmp.Diff(kept[3], some[3]))
			}
		}
		past[today] = b.facts(t, today, nil, names...)
	}
	b.asAnalystsSee(t)
	b.now = b.now.AddDate(0, 0, 1)
	for on, want := range past {
		if diff := cmp.Diff(want, b.facts(t, on, nil, names...)); diff != "" {
			t.Errorf("%s has changed: - is what it was, + is what is told now\n%s", on, diff)
		}
		if got := b.facts(t, on, []uint64{2}, names...); want[2] != nil && !cmp.Equal(got[2], want[2]) {
			t.Errorf("%s, customer 2 alone: %v", on, cmp.Diff(want[2], got[2]))
		}
	}
}

// bits are booleans as every client knows them.
var bits = map[string]string{"true": "1", "false": "0"}

// asAnalystsSee holds the view for analysts against the catalogue: what has the name of a fact is that fact.
func (b *bank) asAnalystsSee(t *testing.T) {
	t.Helper()
	var names []string
	const columns = `SELECT arraySort(groupArray(name)) FROM system.columns WHERE database = ? AND table = 'dim_customer_fact'
AND name NOT IN ('customer_id', 'day', 'refreshed_time', 'product_families')`
	if err := b.conn.QueryRow(t.Context(), columns, b.bi).Scan(&names); err != nil || len(names) < 30 {
		t.Fatalf("%d columns, %v", len(names), err)
	}
	want := b.facts(t, b.now.Format(time.DateOnly), nil, names...)
	for _, of := range want {
		for name, value := range of {
			if bit, ok := bits[value]; ok {
				of[name] = bit
			}
		}
	}
	got := b.read(t, customerfact.Source{SQL: b.bi + ".dim_customer_fact"}, names...)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("- is a fact, + is what analysts see\n%s", diff)
	}
}

// Who waits finds the facts of what was stored before, and goes on at once when nothing is left to do.
func TestAwait(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.now = moment("2026-03-01 12:00")
	b.load(t, customer(1, 1, "2026-03-01 10:00", &eventsv1.CustomerState{Kind: "individual", State: "active", RegionId: 3}))
	k := b.keeper(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- k.Run(ctx) }()
	for region := int64(4); region <= 5; region++ {
		b.ingest(t, k, customer(1, region, "2026-03-01 11:00", &eventsv1.CustomerState{Kind: "individual", State: "active", RegionId: region}))
		for range 2 {
			if err := k.Await(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if got := b.facts(t, "2026-03-01", nil, "region_id")[1]["region_id"]; got != fmt.Sprint(region) {
			t.Errorf("region %q, want %d", got, region)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := k.Await(ctx); err == nil { // nobody keeps facts any more
		t.Error("a wait that nobody can end ended")
	}
}
