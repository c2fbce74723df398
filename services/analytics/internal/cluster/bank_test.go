package cluster_test

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
	"tandem.bank/services/analytics/internal/cluster"
	"tandem.bank/services/analytics/internal/customerfact"
	"tandem.bank/services/analytics/internal/definition"
	"tandem.bank/services/analytics/internal/population"
	"tandem.bank/services/analytics/internal/segment"
	"tandem.bank/services/analytics/internal/warehousetest"
)

const today = "2026-03-10"

// bank is a warehouse with the service over it.
type bank struct {
	conn     driver.Conn
	facts    *customerfact.Service
	segments *segment.Service
	service  *cluster.Service
	server   *cluster.Server
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
	service, err := cluster.New(population.Config{
		Warehouse: conn, Facts: b.facts, Segments: b.segments, NewestChange: func() time.Time { return b.newest }, Logger: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	b.service = service
	b.server = cluster.NewServer(b.service, warehousetest.Published{}, definition.NewStore(conn))
	return b
}

// person is a customer with the two facts that tests cluster by.
type person struct {
	id     int64
	age    float64 // years
	tenure float64 // months
	branch int64
	kind   string
}

func (p person) change() *eventsv1.Change {
	born := warehousetest.Day(today).AddDate(0, 0, -int(p.age*365.25)-10)
	since := warehousetest.Day(today).AddDate(0, 0, -int(p.tenure*30.44)-5)
	kind := p.kind
	if kind == "" {
		kind = "individual"
	}
	return &eventsv1.Change{
		Entity: "customer", EntityId: p.id, Version: 1, ChangeTime: timestamppb.New(warehousetest.Day("2020-01-01")),
		Payload: &eventsv1.Change_Customer{Customer: &eventsv1.CustomerState{
			Kind: kind, State: "active", BirthDate: born.Format(time.DateOnly), CustomerSince: since.Format(time.DateOnly), BranchId: p.branch,
		}},
	}
}

// people are three kinds of customers: young and new, middle-aged and settled, old and long with the bank.
func people(seed uint64, n int) (out []person, kinds []int) {
	random := rand.New(rand.NewPCG(seed, 3))
	centres := [][4]float64{{25, 2, 14, 4}, {42, 3, 80, 12}, {66, 4, 220, 20}}
	for i := range n {
		kind := 0
		switch mark := random.Float64(); {
		case mark > 0.8:
			kind = 2
		case mark > 0.5:
			kind = 1
		}
		c := centres[kind]
		out = append(out, person{
			id: int64(i + 1), age: max(1, c[0]+c[1]*random.NormFloat64()), tenure: max(0, c[2]+c[3]*random.NormFloat64()), branch: int64(1 + i%3),
		})
		kinds = append(kinds, kind)
	}
	return out, kinds
}

func (b *bank) load(t testing.TB, persons ...person) {
	t.Helper()
	changes := make([]*eventsv1.Change, len(persons))
	for i, p := range persons {
		changes[i] = p.change()
	}
	b.insert(t, changes...)
}

// insert stores changes as ingestion does.
func (b *bank) insert(t testing.TB, changes ...*eventsv1.Change) {
	t.Helper()
	warehousetest.Load(t, b.conn, changes...)
}

// define saves a version of a definition.
func (b *bank) define(t testing.TB, name string, version int64, spec *definitionv1.ClusteringDefinition) {
	t.Helper()
	b.insert(t, &eventsv1.Change{
		Entity: "definition", EntityId: int64(len(name)), Version: version, ChangeTime: timestamppb.New(warehousetest.Day("2026-01-01")),
		Payload: &eventsv1.Change_Definition{Definition: &eventsv1.DefinitionState{
			Name: name, Title: name, Kind: definition.KindClustering, State: "active", Owner: "ada", SpecVersion: version,
			SpecTime: timestamppb.New(warehousetest.Day("2026-01-01")), Spec: &definitionv1.Spec{Kind: &definitionv1.Spec_Clustering{Clustering: spec}},
		}},
	})
}

func habits() *definitionv1.ClusteringDefinition {
	return &definitionv1.ClusteringDefinition{
		Facts:  []*definitionv1.ClusteringFact{{Fact: "age"}, {Fact: "tenure_months"}},
		Filter: `kind = "individual"`, ClustersMax: 5, Seed: 1, Starts: 4,
	}
}

// analyst is a caller who may do everything here.
func analyst(t testing.TB) context.Context {
	return auth.WithPrincipal(t.Context(), auth.Principal{Subject: "ada", Roles: []string{auth.RoleAnalyst}})
}

func (b *bank) tryRun(t testing.TB, asOf, name string) (*analyticsv1.ClusteringRun, error) {
	t.Helper()
	answer, err := b.server.RunClustering(analyst(t), &analyticsv1.RunClusteringRequest{
		Definition: &analyticsv1.DefinitionRef{Name: name}, AsOf: date.Proto(warehousetest.Day(asOf)),
	})
	return answer.GetRun(), err
}

func (b *bank) run(t testing.TB, asOf, name string) *analyticsv1.ClusteringRun {
	t.Helper()
	run, err := b.tryRun(t, asOf, name)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// members are all customers of a run, read in pages.
func (b *bank) members(t testing.TB, run *analyticsv1.ClusteringRun, pageSize int32) []*analyticsv1.ClusterMember {
	t.Helper()
	var out []*analyticsv1.ClusterMember
	req := &analyticsv1.ListClusterMembersRequest{RunId: run.GetRunId(), PageSize: pageSize}
	for {
		answer, err := b.server.ListClusterMembers(analyst(t), req)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, answer.GetMembers()...)
		if req.PageToken = answer.GetNextPageToken(); req.GetPageToken() == "" {
			return out
		}
	}
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
