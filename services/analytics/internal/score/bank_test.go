package score_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/auth"
	"tandem.bank/pkg/date"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/definition"
	"tandem.bank/services/analytics/internal/population"
	"tandem.bank/services/analytics/internal/score"
	"tandem.bank/services/analytics/internal/warehousetest"
)

// bank is a warehouse with the service over it, and a clock.
type bank struct {
	conn    driver.Conn
	service *score.Service
	server  *score.Server
	// newest is the change time of the newest change, now the time.
	newest, now time.Time
}

func newBank(t testing.TB) *bank {
	t.Helper()
	conn := warehousetest.Open(t)
	b := &bank{conn: conn, newest: at("2026-03-01 10:00"), now: at("2026-03-10 12:00")}
	log := slog.New(slog.DiscardHandler)
	clock := func() time.Time { return b.now }
	facts := warehousetest.Facts(t, conn, clock)
	service, err := score.New(population.Config{
		Warehouse: conn, Facts: facts, Segments: warehousetest.Segments(t, conn, facts, clock), NewestChange: func() time.Time { return b.newest }, Logger: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	b.service = service
	b.server = score.NewServer(b.service, warehousetest.Published{}, definition.NewStore(conn))
	return b
}

func at(text string) time.Time {
	t, err := time.Parse("2006-01-02 15:04", text)
	if err != nil {
		panic(err)
	}
	return t
}

// change is what every change has.
func change(entity string, id, version int64, when string) *eventsv1.Change {
	return &eventsv1.Change{Entity: entity, EntityId: id, Version: version, ChangeTime: timestamppb.New(at(when))}
}

func customer(id, version int64, when string, state *eventsv1.CustomerState) *eventsv1.Change {
	c := change("customer", id, version, when)
	c.Payload = &eventsv1.Change_Customer{Customer: state}
	return c
}

// account is owned by the customer of its number.
func account(id, version int64, when string, state *eventsv1.AccountState) []*eventsv1.Change {
	a := change("account", id, version, when)
	a.Payload = &eventsv1.Change_Account{Account: state}
	h := change("account_holder", id, version, when)
	h.Payload = &eventsv1.Change_AccountHolder{AccountHolder: &eventsv1.AccountHolderState{AccountId: id, CustomerId: id, Role: "owner"}}
	return []*eventsv1.Change{a, h}
}

// entry is a transaction of an account.
func entry(id, account int64, on, value string) *eventsv1.Change {
	c := change("transaction_bundle", id, 1, "2026-03-01 10:00")
	c.Payload = &eventsv1.Change_TransactionBundle{TransactionBundle: &eventsv1.TransactionBundle{
		BaseCurrency: "EUR",
		Transactions: []*eventsv1.TransactionState{{
			TransactionId: id, Version: 1, AccountId: account, BusinessDate: on, Direction: "credit", Kind: "transfer_in",
			Amount: &eventsv1.Amount{Currency: "EUR", Value: value}, BaseValue: value, State: "posted",
		}},
	}}
	return c
}

// load stores changes as ingestion does.
func (b *bank) load(t testing.TB, changes ...*eventsv1.Change) {
	t.Helper()
	warehousetest.Load(t, b.conn, changes...)
}

// define saves a definition as ingestion does.
func (b *bank) define(t testing.TB, name string, version int64, spec *definitionv1.Spec) *analyticsv1.DefinitionRef {
	t.Helper()
	kind := definition.KindOf(spec)
	if broken := b.compile(t, spec); len(broken) > 0 {
		t.Fatal(broken)
	}
	c := change("definition", 1, version, "2026-03-01 10:00")
	c.Payload = &eventsv1.Change_Definition{Definition: &eventsv1.DefinitionState{
		Name: name, Title: name, Kind: kind, State: "active", Owner: "eva", SpecVersion: version, SpecTime: timestamppb.New(b.newest),
		Spec: spec, ReaderRoles: []string{auth.RoleManager},
	}}
	c.EntityId = int64(len(name)) // names of different lengths are different definitions here
	b.load(t, c)
	return &analyticsv1.DefinitionRef{Name: name}
}

// compile returns what is wrong with a spec, as "field: description".
func (b *bank) compile(t testing.TB, spec *definitionv1.Spec) []string {
	t.Helper()
	compile := b.service.CompileScorecard
	if spec.GetScoreModel() != nil {
		compile = b.service.CompileModel
	}
	broken, err := compile(t.Context(), "x", spec)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, v := range broken {
		out = append(out, fmt.Sprintf("%s: %s", v.Field, v.Description))
	}
	return out
}

// as is a context in which somebody calls.
func as(t testing.TB, role string, branches ...int64) context.Context {
	t.Helper()
	return auth.WithPrincipal(t.Context(), auth.Principal{Subject: "jana", Roles: []string{role}, Branches: branches})
}

func (b *bank) run(t testing.TB, ref *analyticsv1.DefinitionRef, asOf string) *analyticsv1.ScoreRun {
	t.Helper()
	on, err := time.Parse(time.DateOnly, asOf)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := b.server.RunScore(as(t, auth.RoleAnalyst), &analyticsv1.RunScoreRequest{AsOf: date.Proto(on), Definition: ref})
	if err != nil {
		t.Fatal(err)
	}
	return answer.GetRun()
}

func (b *bank) explain(t testing.TB, name string, customer int64) *analyticsv1.ExplainScoreResponse {
	t.Helper()
	answer, err := b.server.ExplainScore(as(t, auth.RoleAnalyst), &analyticsv1.ExplainScoreRequest{CustomerId: customer, Score: name})
	if err != nil {
		t.Fatal(err)
	}
	return answer
}
