package definition_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/auth"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/definition"
	"tandem.bank/services/analytics/internal/warehousetest"
)

// bundle is a warehouse with the store over it.
type bundle struct {
	conn  driver.Conn
	store *definition.Store
}

func setup(t *testing.T) *bundle {
	t.Helper()
	conn := warehousetest.Open(t)
	return &bundle{conn: conn, store: definition.NewStore(conn)}
}

// day is noon of a day in January 2026.
func day(n int) time.Time { return time.Date(2026, 1, n, 12, 0, 0, 0, time.UTC) }

// change is a version of the record, made on a day.
func change(id, version int64, on int, s *eventsv1.DefinitionState) *eventsv1.Change {
	return &eventsv1.Change{
		Entity: "definition", EntityId: id, Version: version, ChangeTime: timestamppb.New(day(on)),
		Payload: &eventsv1.Change_Definition{Definition: s},
	}
}

// state is an RFM definition; edit makes it another one.
func state(name string, specVersion int64, window int32, edit ...func(*eventsv1.DefinitionState)) *eventsv1.DefinitionState {
	s := &eventsv1.DefinitionState{
		Name: name, Title: name, Kind: "rfm", State: "active", Owner: "eva", SpecVersion: specVersion, SpecTime: timestamppb.New(day(1)),
		Spec: &definitionv1.Spec{Kind: &definitionv1.Spec_Rfm{Rfm: &definitionv1.RfmDefinition{WindowDays: window}}},
	}
	for _, e := range edit {
		e(s)
	}
	return s
}

func (b *bundle) load(t *testing.T, changes ...*eventsv1.Change) {
	t.Helper()
	warehousetest.Load(t, b.conn, changes...)
}

func shared(roles ...string) func(*eventsv1.DefinitionState) {
	return func(s *eventsv1.DefinitionState) { s.ReaderRoles = roles }
}

func scheduled(cron string) func(*eventsv1.DefinitionState) {
	return func(s *eventsv1.DefinitionState) { s.Schedule = &definitionv1.Schedule{Cron: cron} }
}

func archived(s *eventsv1.DefinitionState) { s.State = "archived" }

// Every version of a spec can be had, by number and by time, whatever order the changes came in.
func TestResolve(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.load(t,
		change(1, 4, 9, state("monthly", 2, 60, shared("marketer"))),
		change(1, 1, 1, state("monthly", 1, 90)), change(1, 1, 1, state("monthly", 1, 90)), // comes twice
		change(1, 3, 7, state("monthly", 2, 60)),
		change(1, 2, 5, state("monthly", 1, 90, shared("manager"))),
		change(2, 1, 1, state("other", 1, 30)),
	)
	for name, c := range map[string]struct {
		ref     definition.Ref
		version uint64
		window  int32
	}{
		"the newest":            {definition.Ref{Name: "monthly"}, 2, 60},
		"the first":             {definition.Ref{Name: "monthly", Version: 1}, 1, 90},
		"the second":            {definition.Ref{Name: "monthly", Version: 2}, 2, 60},
		"before the first":      {definition.Ref{Name: "monthly", At: day(1).Add(-time.Hour)}, 1, 90},
		"before the second":     {definition.Ref{Name: "monthly", At: day(6)}, 1, 90},
		"when the second stood": {definition.Ref{Name: "monthly", At: day(7)}, 2, 60},
	} {
		d, err := b.store.Resolve(t.Context(), c.ref)
		if err != nil || d.Version != c.version || d.Spec.GetRfm().GetWindowDays() != c.window || d.ID != 1 || d.Kind != definition.KindRFM {
			t.Errorf("%s: %+v, %v", name, d, err)
		}
	}
	for _, ref := range []definition.Ref{{Name: "nobody"}, {Name: "monthly", Version: 3}} {
		if _, err := b.store.Resolve(t.Context(), ref); status.Code(err) != codes.NotFound {
			t.Errorf("%+v gave %v", ref, err)
		}
	}
	as := func(subject string, roles ...string) context.Context {
		return auth.WithPrincipal(t.Context(), auth.Principal{Subject: subject, Roles: roles})
	}
	for _, c := range []struct {
		ctx  context.Context
		name string
		code codes.Code
	}{
		{as("eva", auth.RoleManager), "other", codes.OK},
		{as("jan", auth.RoleAnalyst), "other", codes.OK},
		{as("jan", auth.RoleMarketer), "other", codes.NotFound},
		{as("jan", auth.RoleMarketer), "monthly", codes.OK},
		{as("jan", auth.RoleManager), "monthly", codes.NotFound}, // it was taken back
		{t.Context(), "monthly", codes.NotFound},
	} {
		if _, err := b.store.ForCaller(c.ctx, definition.Ref{Name: c.name}); status.Code(err) != c.code {
			t.Errorf("%s for %v: %v", c.name, c.ctx, err)
		}
	}
}

// A schedule counts since it is as it is: changes of anything else don't begin it anew.
func TestAll(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.load(t,
		change(1, 1, 1, state("monthly", 1, 90)),
		change(1, 2, 3, state("monthly", 1, 90, scheduled("@monthly"))),
		change(1, 3, 5, state("monthly", 2, 60, scheduled("@monthly"), shared("manager"))),
		change(2, 1, 1, state("daily", 1, 30, scheduled("@daily"))),
		change(3, 1, 1, state("never", 1, 30)),
		change(4, 1, 1, state("gone", 1, 30, scheduled("@daily"))),
		change(4, 2, 2, state("gone", 1, 30, scheduled("@daily"), archived)),
		change(5, 1, 1, state("back", 1, 30, scheduled("@daily"))),
		change(5, 2, 2, state("back", 1, 30, scheduled("@daily"), archived)),
		change(5, 3, 8, state("back", 1, 30, scheduled("@daily"))),
	)
	found, err := b.store.All(t.Context())
	if err != nil || len(found) != 5 || !found[3].Archived || found[2].Schedule != nil {
		t.Fatalf("%v, %v", found, err)
	}
	found = slices.DeleteFunc(found, func(d *definition.Definition) bool { return d.Archived || d.Schedule == nil })
	for i, want := range []struct {
		name, cron string
		version    uint64
		since      int
	}{{"monthly", "@monthly", 2, 3}, {"daily", "@daily", 1, 1}, {"back", "@daily", 1, 8}} {
		d := found[i]
		if d.Name != want.name || d.Schedule.GetCron() != want.cron || d.Version != want.version || !d.ScheduledSince.Equal(day(want.since)) {
			t.Errorf("%+v since %s, want %+v", d, d.ScheduledSince, want)
		}
	}
}
