package profile_test

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/auth"
	"tandem.bank/pkg/date"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/customerfact"
	"tandem.bank/services/analytics/internal/definition"
	"tandem.bank/services/analytics/internal/population"
	"tandem.bank/services/analytics/internal/profile"
	"tandem.bank/services/analytics/internal/segment"
	"tandem.bank/services/analytics/internal/warehousetest"
)

const today = "2026-03-10"

// bank is a warehouse with the service over it.
type bank struct {
	conn     driver.Conn
	facts    *customerfact.Service
	segments *segment.Service
	service  *profile.Service
	server   *profile.Server
	// newest is the change time of the newest change.
	newest time.Time
}

func newBank(t testing.TB) *bank {
	t.Helper()
	conn := warehousetest.Open(t)
	b := &bank{conn: conn, newest: warehousetest.Day("2026-03-10")}
	log := slog.New(slog.DiscardHandler)
	clock := func() time.Time { return warehousetest.Day(today).Add(12 * time.Hour) }
	b.facts = warehousetest.Facts(t, conn, clock)
	b.segments = warehousetest.Segments(t, conn, b.facts, clock)
	service, err := profile.New(population.Config{
		Warehouse: conn, Facts: b.facts, Segments: b.segments, NewestChange: func() time.Time { return b.newest }, Logger: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	b.service = service
	b.server = profile.NewServer(b.service, warehousetest.Published{}, definition.NewStore(conn))
	return b
}

// company is a customer with the facts that tests place by.
type company struct {
	id        int64
	industry  string
	employees int32
	interests []string
	complains int
	branch    int64
}

func (c company) changes() []*eventsv1.Change {
	state := &eventsv1.CustomerState{
		Kind: "organisation", State: "active", IndustryNace: c.industry, Employees: c.employees, CustomerSince: "2020-01-01", BranchId: c.branch,
		Founded: "2015-03-10", Interests: c.interests,
	}
	out := []*eventsv1.Change{{
		Entity: "customer", EntityId: c.id, Version: 1, ChangeTime: timestamppb.New(warehousetest.Day("2020-01-01")), Payload: &eventsv1.Change_Customer{Customer: state},
	}}
	for i := range c.complains {
		out = append(out, &eventsv1.Change{
			Entity: "interaction", EntityId: 1000*c.id + int64(i), Version: 1, ChangeTime: timestamppb.New(warehousetest.Day("2026-02-01")),
			Payload: &eventsv1.Change_Interaction{Interaction: &eventsv1.InteractionState{
				CustomerId: c.id, Kind: "complaint", Channel: "phone", OpenedTime: timestamppb.New(warehousetest.Day("2026-02-01")), BusinessDate: "2026-02-01",
			}},
		})
	}
	return out
}

// random companies, some of which nothing is known of.
func random(seed uint64, n int) []company {
	r := rand.New(rand.NewPCG(seed, 5))
	industries := []string{"62.01", "41.20", "10.71", "99.00", ""}
	words := []string{"golf", "wine", "opera"}
	out := make([]company, n)
	for i := range out {
		out[i] = company{
			id: int64(i + 1), industry: industries[r.IntN(len(industries))], employees: r.Int32N(60), complains: r.IntN(4), branch: int64(1 + i%3),
		}
		for _, w := range words {
			if r.IntN(3) == 0 {
				out[i].interests = append(out[i].interests, w)
			}
		}
	}
	return out
}

func (b *bank) load(t testing.TB, companies ...company) {
	t.Helper()
	var changes []*eventsv1.Change
	for _, c := range companies {
		changes = append(changes, c.changes()...)
	}
	b.insert(t, changes...)
}

// insert stores changes as ingestion does.
func (b *bank) insert(t testing.TB, changes ...*eventsv1.Change) {
	t.Helper()
	warehousetest.Load(t, b.conn, changes...)
}

// define saves a version of a definition.
func (b *bank) define(t testing.TB, name string, version int64, spec *definitionv1.ProfileSchemeDefinition) {
	t.Helper()
	b.insert(t, &eventsv1.Change{
		Entity: "definition", EntityId: int64(len(name)), Version: version, ChangeTime: timestamppb.New(warehousetest.Day("2026-01-01")),
		Payload: &eventsv1.Change_Definition{Definition: &eventsv1.DefinitionState{
			Name: name, Title: name, Kind: definition.KindProfileScheme, State: "active", Owner: "ada", SpecVersion: version,
			SpecTime: timestamppb.New(warehousetest.Day("2026-01-01")), Spec: &definitionv1.Spec{Kind: &definitionv1.Spec_ProfileScheme{ProfileScheme: spec}},
		}},
	})
}

// analyst is a caller who may do everything here.
func analyst(t testing.TB) context.Context {
	return auth.WithPrincipal(t.Context(), auth.Principal{Subject: "ada", Roles: []string{auth.RoleAnalyst}})
}

func (b *bank) tryRun(t testing.TB, asOf, name string) (*analyticsv1.ProfileRun, error) {
	t.Helper()
	answer, err := b.server.RunProfileScheme(analyst(t), &analyticsv1.RunProfileSchemeRequest{
		Definition: &analyticsv1.DefinitionRef{Name: name}, AsOf: date.Proto(warehousetest.Day(asOf)),
	})
	return answer.GetRun(), err
}

func (b *bank) run(t testing.TB, asOf, name string) *analyticsv1.ProfileRun {
	t.Helper()
	run, err := b.tryRun(t, asOf, name)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func (b *bank) count(t testing.TB, sql string, args ...any) uint64 {
	t.Helper()
	var n uint64
	if err := b.conn.QueryRow(t.Context(), sql, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func code(err error) codes.Code { return status.Code(err) }
