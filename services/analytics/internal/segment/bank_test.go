package segment_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/genproto/googleapis/type/date"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/auth"
	"tandem.bank/pkg/testkit"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/definition"
	"tandem.bank/services/analytics/internal/segment"
	"tandem.bank/services/analytics/internal/warehousetest"
)

// today is the day of the bank's clock.
var today = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

// bank is a warehouse with the room over it.
type bank struct {
	conn    driver.Conn
	service *segment.Service
	server  *segment.Server
	ids     map[string]int64
}

func newBank(t testing.TB) *bank {
	t.Helper()
	conn := warehousetest.Open(t)
	b := &bank{conn: conn, ids: map[string]int64{}}
	b.start(t)
	return b
}

// start makes a new service over the same warehouse, as after the end of a process.
func (b *bank) start(t testing.TB) {
	t.Helper()
	clock := func() time.Time { return today }
	facts := warehousetest.Facts(t, b.conn, clock)
	service, err := segment.New(segment.Config{
		Warehouse: b.conn, Facts: facts, Definitions: definition.NewStore(b.conn), NewestChange: func() time.Time { return today },
		TimeZone: time.UTC, Logger: slog.New(slog.NewTextHandler(t.Output(), nil)), Registry: prometheus.NewRegistry(), Now: clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	b.service = service
	b.server = segment.NewServer(b.service)
}

// load stores changes as ingestion does.
func (b *bank) load(t testing.TB, changes ...*eventsv1.Change) {
	t.Helper()
	warehousetest.Load(t, b.conn, changes...)
}

// customer is a version of a customer, as it was changed on a day of March 2026.
func customer(id, version int64, day int, s *eventsv1.CustomerState) *eventsv1.Change {
	s.Kind = "individual"
	return &eventsv1.Change{
		Entity: "customer", EntityId: id, Version: version, ChangeTime: timestamppb.New(time.Date(2026, 3, day, 9, 0, 0, 0, time.UTC)),
		Payload: &eventsv1.Change_Customer{Customer: s},
	}
}

// define saves a segment in its next version; archived takes it out of use.
func (b *bank) define(t testing.TB, name string, version int64, archived bool, s *definitionv1.SegmentDefinition) {
	t.Helper()
	if b.ids[name] == 0 {
		b.ids[name] = int64(len(b.ids) + 1)
	}
	state, record := "active", 2*version
	if archived {
		state, record = "archived", 2*version+1
	}
	at := timestamppb.New(time.Date(2026, 3, int(version), 8, 0, 0, 0, time.UTC))
	b.load(t, &eventsv1.Change{
		Entity: "definition", EntityId: b.ids[name], Version: record, ChangeTime: at,
		Payload: &eventsv1.Change_Definition{Definition: &eventsv1.DefinitionState{
			Name: name, Title: name, Kind: "segment", State: state, Owner: "eva", SpecVersion: version, SpecTime: at,
			Spec: &definitionv1.Spec{Kind: &definitionv1.Spec_Segment{Segment: s}},
		}},
	})
}

func dynamic(expression string) *definitionv1.SegmentDefinition {
	return &definitionv1.SegmentDefinition{Kind: &definitionv1.SegmentDefinition_Dynamic{Dynamic: &definitionv1.DynamicSegment{Expression: expression}}}
}

func static(ids ...int64) *definitionv1.SegmentDefinition {
	return &definitionv1.SegmentDefinition{Kind: &definitionv1.SegmentDefinition_Static{Static: &definitionv1.StaticSegment{CustomerIds: ids}}}
}

func frozen(name string, version int64, asOf *date.Date) *definitionv1.SegmentDefinition {
	return &definitionv1.SegmentDefinition{Kind: &definitionv1.SegmentDefinition_Frozen{
		Frozen: &definitionv1.FrozenSegment{Segment: name, DefinitionVersion: version, AsOf: asOf},
	}}
}

// people are ten customers: number n lives in region n, was born in 1950 + 5n, and has been known since the second of March.
func (b *bank) people(t testing.TB) {
	t.Helper()
	for n := int64(1); n <= 10; n++ {
		b.load(t, customer(n, 1, 2, person(n, n)))
	}
}

func person(n, region int64) *eventsv1.CustomerState {
	return &eventsv1.CustomerState{
		State: "active", RegionId: region, BirthDate: time.Date(1950+5*int(n), 1, 1, 0, 0, 0, 0, time.UTC).Format(time.DateOnly),
	}
}

// march is a day of March 2026.
func march(day int32) *date.Date { return &date.Date{Year: 2026, Month: 3, Day: day} }

// eva is an analyst.
func eva(ctx context.Context) context.Context {
	return auth.WithPrincipal(ctx, auth.Principal{Subject: "eva", Roles: []string{auth.RoleAnalyst}})
}

func (b *bank) run(t testing.TB, name string, asOf *date.Date) *analyticsv1.SegmentRun {
	t.Helper()
	out, err := b.server.RunSegment(eva(t.Context()), &analyticsv1.RunSegmentRequest{Definition: &analyticsv1.DefinitionRef{Name: name}, AsOf: asOf})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return out.GetRun()
}

// members reads those of a snapshot, or of now, page by page.
func (b *bank) members(t testing.TB, name, runID string) []int64 {
	t.Helper()
	out, token := []int64{}, ""
	for {
		page, err := b.server.ListSegmentMembers(eva(t.Context()), &analyticsv1.ListSegmentMembersRequest{
			Segment: name, RunId: runID, PageSize: 3, PageToken: token,
		})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out = append(out, page.GetCustomerIds()...)
		if token = page.GetNextPageToken(); token == "" {
			if page.GetCustomers() != int64(len(out)) {
				t.Errorf("%s has %d members, and lists %v", name, page.GetCustomers(), out)
			}
			return out
		}
	}
}

// home keeps the evaluations that were sent home.
type home struct {
	mu   sync.Mutex
	runs []string
}

func (h *home) Publish(_ context.Context, runID string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.runs = append(h.runs, runID)
	return nil
}

func (h *home) all() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.runs)
}

// await waits until so many evaluations went home, and no more.
func (h *home) await(t testing.TB, evaluations int) {
	t.Helper()
	testkit.Eventually(t, testkit.Patience, func() error {
		if got := len(h.all()); got != evaluations {
			return fmt.Errorf("%d evaluations went home, not %d", got, evaluations)
		}
		return nil
	})
}

// follow follows until stop is called.
func (b *bank) follow(t testing.TB) (sent *home, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	sent = &home{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = b.service.Follow(ctx, sent)
	}()
	stop = func() {
		cancel()
		<-done
	}
	t.Cleanup(stop)
	return sent, stop
}

// events are those of a segment, oldest first.
func (b *bank) events(t testing.TB, name string) []*analyticsv1.MembershipEvent {
	t.Helper()
	var out []*analyticsv1.MembershipEvent
	token := ""
	for {
		page, err := b.server.ListMembershipEvents(eva(t.Context()), &analyticsv1.ListMembershipEventsRequest{Segment: name, PageSize: 4, PageToken: token})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, page.GetEvents()...)
		if token = page.GetNextPageToken(); token == "" {
			slices.Reverse(out)
			return out
		}
	}
}
