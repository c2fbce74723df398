package behaviour_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/testkit"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/behaviour"
	"tandem.bank/services/crm/migrations"
)

// site is a recorder with two customers, 1 and 2.
type site struct {
	pool     *pgxpool.Pool
	recorder *behaviour.Recorder
}

func setup(t testing.TB, window time.Duration) *site {
	t.Helper()
	pool := testkit.Postgres(t, testkit.Template{Name: "crm", Migrate: migrations.Migrate})
	if _, err := pool.Exec(t.Context(), "INSERT INTO customer (kind, state, phone, email, given_name, family_name, sex, occupation, "+
		"monthly_income_currency, legal_name, registration_number, industry_nace, annual_turnover_currency) "+
		"SELECT 'individual', 'active', '', '', '', '', '', '', '', '', '', '', '' FROM generate_series(1, 2)"); err != nil {
		t.Fatal(err)
	}
	return &site{pool: pool, recorder: behaviour.NewRecorder(pool, time.UTC, window)}
}

// visit is a valid event, changed by the given edits.
func visit(id string, edits ...func(*crmv1.BehaviourEvent)) *crmv1.BehaviourEvent {
	e := &crmv1.BehaviourEvent{
		Key: &crmv1.ExternalKey{Source: "site", ExternalId: id}, CustomerId: 1, Kind: crmv1.BehaviourKind_BEHAVIOUR_KIND_SITE_VISIT,
		Time: timestamppb.New(time.Date(2026, 3, 14, 10, 0, 0, 0, time.UTC)), Page: "https://bank.example/loans/car?email=eva@example.org#top",
	}
	for _, edit := range edits {
		edit(e)
	}
	return e
}

func anonymous(visitor string) func(*crmv1.BehaviourEvent) {
	return func(e *crmv1.BehaviourEvent) { e.CustomerId, e.VisitorId = 0, visitor }
}

func (s *site) record(t testing.TB, events ...*crmv1.BehaviourEvent) []any {
	t.Helper()
	results, err := s.recorder.Record(t.Context(), events, false)
	if err != nil {
		t.Fatal(err)
	}
	return outcomes(results)
}

// outcomes are the outcome of each row, or the code of its refusal.
func outcomes(results []*crmv1.UpsertResult) []any {
	out := make([]any, len(results))
	for i, r := range results {
		out[i] = r.GetOutcome()
		if r.GetError() != nil {
			out[i] = codes.Code(r.GetError().GetCode())
		}
	}
	return out
}

const (
	created   = crmv1.UpsertOutcome_UPSERT_OUTCOME_CREATED
	unchanged = crmv1.UpsertOutcome_UPSERT_OUTCOME_UNCHANGED
)

func (s *site) published(t testing.TB) (states []*eventsv1.BehaviourEventState) {
	t.Helper()
	rows, err := s.pool.Query(t.Context(), "SELECT payload FROM outbox WHERE entity = 'behaviour_event_bundle' ORDER BY outbox_id")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var raw []byte
		var change eventsv1.Change
		if err := rows.Scan(&raw); err != nil {
			t.Fatal(err)
		}
		if err := proto.Unmarshal(raw, &change); err != nil {
			t.Fatal(err)
		}
		states = append(states, change.GetBehaviourEventBundle().GetEvents()...)
	}
	return states
}

func TestEachEventOnce(t *testing.T) {
	t.Parallel()
	s := setup(t, 0)
	other := func(e *crmv1.BehaviourEvent) { e.DurationSeconds = 7 }
	late := func(e *crmv1.BehaviourEvent) { e.Time = timestamppb.New(time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC)) }
	steps := []struct {
		events []*crmv1.BehaviourEvent
		want   []any
	}{
		{[]*crmv1.BehaviourEvent{visit("a"), visit("b"), visit("a"), visit("b", other)}, []any{created, created, unchanged, codes.AlreadyExists}},
		{[]*crmv1.BehaviourEvent{visit("a"), visit("a", other), visit("late", late)}, []any{unchanged, codes.AlreadyExists, created}},
	}
	for i, step := range steps {
		if got := s.record(t, step.events...); !slices.Equal(got, step.want) {
			t.Errorf("step %d: %v, want %v", i, got, step.want)
		}
	}
	states := s.published(t)
	if len(states) != 3 || states[0].GetPage() != "/loans/car" || states[0].GetBusinessDate() != "2026-03-14" {
		t.Errorf("published %v", states)
	}
	trial, err := s.recorder.Record(t.Context(), []*crmv1.BehaviourEvent{visit("trial")}, true)
	if err != nil || trial[0].GetOutcome() != created {
		t.Errorf("trial %v, %v", trial, err)
	}
	if got := s.record(t, visit("trial")); got[0] != created {
		t.Errorf("after the trial: %v", got)
	}
}

func TestHostileEvents(t *testing.T) {
	t.Parallel()
	s := setup(t, 0)
	cases := []struct {
		field string
		code  codes.Code
		edit  func(*crmv1.BehaviourEvent)
	}{
		{"page", codes.InvalidArgument, func(e *crmv1.BehaviourEvent) { e.Page = "/unsubscribe/eva@example.org" }},
		{"page", codes.InvalidArgument, func(e *crmv1.BehaviourEvent) { e.Page = "https://b.example/u/eva%40example.org" }},
		{"page", codes.InvalidArgument, func(e *crmv1.BehaviourEvent) { e.Page = "/call/+420601123456" }},
		{"page", codes.InvalidArgument, func(e *crmv1.BehaviourEvent) { e.Page = "/card/4111111111111111" }},
		{"page", codes.InvalidArgument, func(e *crmv1.BehaviourEvent) { e.Page = "a\x00b" }},
		{"properties", codes.InvalidArgument, func(e *crmv1.BehaviourEvent) { e.Properties = map[string]string{"who": "eva@example.org"} }},
		{"properties", codes.InvalidArgument, func(e *crmv1.BehaviourEvent) { e.Properties = map[string]string{"Bad Key": "1"} }},
		{"visitor_id", codes.InvalidArgument, func(e *crmv1.BehaviourEvent) { e.VisitorId = "eva@example.org" }},
		{"time", codes.InvalidArgument, func(e *crmv1.BehaviourEvent) { e.Time = timestamppb.New(time.Now().Add(48 * time.Hour)) }},
		{"time", codes.InvalidArgument, func(e *crmv1.BehaviourEvent) { e.Time = nil }},
		{"kind", codes.InvalidArgument, func(e *crmv1.BehaviourEvent) { e.Kind = 0 }},
		{"key", codes.InvalidArgument, func(e *crmv1.BehaviourEvent) { e.Key = nil }},
		{"customer_id", codes.InvalidArgument, func(e *crmv1.BehaviourEvent) { e.CustomerId = 0 }},
		{"customer_id", codes.NotFound, func(e *crmv1.BehaviourEvent) { e.CustomerId = 99 }},
		{"product_id", codes.NotFound, func(e *crmv1.BehaviourEvent) { e.ProductId = 99 }},
	}
	events := []*crmv1.BehaviourEvent{visit("good")}
	for i, c := range cases {
		events = append(events, visit(fmt.Sprint("bad", i), c.edit))
	}
	results, err := s.recorder.Record(t.Context(), events, false)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range cases {
		refusal := results[i+1].GetError()
		if codes.Code(refusal.GetCode()) != c.code || !strings.Contains(refusal.GetMessage(), c.field) {
			t.Errorf("case %d: %v, want %s on %s", i, refusal, c.code, c.field)
		}
	}
	if n := len(s.published(t)); n != 1 {
		t.Errorf("%d events published, want the good one", n)
	}
}

func (s *site) list(t testing.TB, req *crmv1.ListBehaviourEventsRequest) []string {
	t.Helper()
	var ids []string
	for {
		page, err := behaviour.NewServer(s.recorder).ListBehaviourEvents(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.GetEvents() {
			ids = append(ids, e.GetKey().GetExternalId())
		}
		if req.PageToken = page.GetNextPageToken(); req.GetPageToken() == "" {
			return ids
		}
	}
}

func TestVisitorBecomesCustomer(t *testing.T) {
	t.Parallel()
	s := setup(t, 0)
	s.record(t, visit("1", anonymous("v1")), visit("2", anonymous("v2")), visit("3", anonymous("v1")))
	link := func(visitor string, customer int64) (int64, error) {
		r, err := s.recorder.LinkVisitor(t.Context(), &crmv1.LinkVisitorRequest{VisitorId: visitor, CustomerId: customer})
		return r.GetEvents(), err
	}
	if n, err := link("v1", 2); err != nil || n != 2 {
		t.Fatalf("%d events linked, %v", n, err)
	}
	if n, err := link("v1", 2); err != nil || n != 0 {
		t.Errorf("the same link again: %d, %v", n, err)
	}
	if _, err := link("v1", 1); err == nil || !strings.Contains(err.Error(), "another customer") {
		t.Errorf("another customer: %v", err)
	}
	s.record(t, visit("4", anonymous("v1")))
	if got := s.list(t, &crmv1.ListBehaviourEventsRequest{CustomerId: 2, PageSize: 2}); !slices.Equal(got, []string{"4", "3", "1"}) {
		t.Errorf("the customer's events are %v", got)
	}
	ordered := &crmv1.ListBehaviourEventsRequest{CustomerId: 2, PageSize: 1, OrderBy: "key.external_id", Filter: `key.external_id != "3"`}
	if got := s.list(t, ordered); !slices.Equal(got, []string{"1", "4"}) {
		t.Errorf("in another order they are %v", got)
	}
	counted, err := behaviour.NewServer(s.recorder).ListBehaviourEvents(t.Context(), &crmv1.ListBehaviourEventsRequest{
		CustomerId: 2, PageSize: 1, Count: crmv1.CountMode_COUNT_MODE_EXACT,
	})
	if err != nil || counted.GetCount().GetValue() != 3 {
		t.Errorf("they are counted as %v, %v", counted.GetCount(), err)
	}
	if got := s.list(t, &crmv1.ListBehaviourEventsRequest{VisitorId: "v2"}); !slices.Equal(got, []string{"2"}) {
		t.Errorf("the other visitor's events are %v", got)
	}
	states := s.published(t)
	if len(states) != 6 || states[3].GetVersion() != 2 || states[3].GetCustomerId() != 2 || states[5].GetCustomerId() != 2 {
		t.Errorf("published %v", states)
	}
}

// Bundles and a link that come together: no event of the visitor stays behind, nothing counts twice, nothing deadlocks.
func TestTogether(t *testing.T) {
	t.Parallel()
	s := setup(t, 0)
	var events []*crmv1.BehaviourEvent
	for i := range 200 {
		events = append(events, visit(fmt.Sprint(i), anonymous(fmt.Sprint("v", i%3))))
	}
	var group sync.WaitGroup
	for i := range 6 {
		group.Go(func() {
			side := slices.Clone(events)
			if i%2 == 1 {
				slices.Reverse(side)
			}
			if _, err := s.recorder.Record(t.Context(), side, false); err != nil {
				t.Error(err)
			}
			if _, err := s.recorder.LinkVisitor(t.Context(), &crmv1.LinkVisitorRequest{VisitorId: fmt.Sprint("v", i%3), CustomerId: 1}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if got := s.list(t, &crmv1.ListBehaviourEventsRequest{CustomerId: 1, PageSize: 1000}); len(got) != 200 {
		t.Errorf("%d events are the customer's, want 200", len(got))
	}
}

func TestWindow(t *testing.T) {
	t.Parallel()
	s := setup(t, 0)
	now := time.Date(2026, 3, 20, 0, 0, 0, 0, time.UTC)
	in := func(year int, month time.Month) func(*crmv1.BehaviourEvent) {
		return func(e *crmv1.BehaviourEvent) {
			e.Time = timestamppb.New(time.Date(year, month, 9, 0, 0, 0, 0, time.UTC))
		}
	}
	s.record(t, visit("old", in(2025, 1)), visit("kept", in(2026, 1)), visit("new", in(2026, 3)))
	kept := behaviour.NewRecorder(s.pool, time.UTC, 60*24*time.Hour)
	if err := kept.Prune(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	if got := s.list(t, &crmv1.ListBehaviourEventsRequest{CustomerId: 1}); !slices.Equal(got, []string{"new", "kept"}) {
		t.Errorf("events after the window passed: %v", got)
	}
	if got := s.record(t, visit("old", in(2025, 1))); got[0] != unchanged {
		t.Errorf("an event whose month was dropped comes again: %v", got)
	}
}

func BenchmarkRecord(b *testing.B) {
	s := setup(b, 0)
	const rows = 1000
	n := 0
	for b.Loop() {
		events := make([]*crmv1.BehaviourEvent, rows)
		for i := range events {
			n++
			events[i] = visit(fmt.Sprint(n))
		}
		if _, err := s.recorder.Record(context.Background(), events, false); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "rows/s")
}
