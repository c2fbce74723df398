// Package conformance runs one suite of tests against every room, through gRPC and on the real Postgres.
package conformance

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/grpcserver"
	"tandem.bank/pkg/testkit"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/access"
	"tandem.bank/services/crm/internal/account"
	"tandem.bank/services/crm/internal/attribute"
	"tandem.bank/services/crm/internal/audit"
	"tandem.bank/services/crm/internal/behaviour"
	"tandem.bank/services/crm/internal/branch"
	"tandem.bank/services/crm/internal/card"
	"tandem.bank/services/crm/internal/consent"
	"tandem.bank/services/crm/internal/contract"
	"tandem.bank/services/crm/internal/customer"
	"tandem.bank/services/crm/internal/customer360"
	"tandem.bank/services/crm/internal/customerlist"
	"tandem.bank/services/crm/internal/document"
	"tandem.bank/services/crm/internal/interaction"
	"tandem.bank/services/crm/internal/product"
	"tandem.bank/services/crm/internal/relation"
	"tandem.bank/services/crm/internal/search"
	"tandem.bank/services/crm/internal/servicelevel"
	"tandem.bank/services/crm/internal/timeline"
	"tandem.bank/services/crm/internal/transaction"
	"tandem.bank/services/crm/migrations"
)

var template = testkit.Template{Name: "crm", Migrate: migrations.Migrate}

// bank is a database of its own with every room in front of it.
type bank struct {
	pool *pgxpool.Pool
	conn *grpc.ClientConn
	// callers makes tokens; calls without one are an administrator's.
	callers *testkit.Identity
	// policy that calls are held to; the built-in one when empty.
	policy string
}

// newBank opens a bank that has what the samples refer to.
func newBank(t *testing.T) *bank {
	t.Helper()
	return newBankHeldTo(t, "")
}

// newBankHeldTo opens a bank with a policy of its own.
func newBankHeldTo(t *testing.T, policy string) *bank {
	t.Helper()
	b := &bank{pool: testkit.Postgres(t, template), policy: policy}
	b.serve(t, b.pool)
	b.furnish(t)
	return b
}

// serve puts the rooms in front of a pool.
func (b *bank) serve(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	b.callers = testkit.NewIdentity(t)
	guard := b.guard(t, pool)
	server, err := grpcserver.New(grpcserver.Config{
		Addr: "in memory", Logger: log, Registry: prometheus.NewRegistry(),
		Unary:  []grpc.UnaryServerInterceptor{b.callers.Verifier.Unary, audit.UnaryCaller, guard.Unary},
		Stream: []grpc.StreamServerInterceptor{b.callers.Verifier.Stream, audit.StreamCaller, guard.Stream},
	})
	if err != nil {
		t.Fatal(err)
	}
	prague, err := time.LoadLocation("Europe/Prague")
	if err != nil {
		t.Fatal(err)
	}
	attributes := attribute.NewCatalogue()
	index := search.NewIndex(attributes)
	crmv1.RegisterBranchServiceServer(server, branch.NewServer(pool, log))
	crmv1.RegisterProductServiceServer(server, product.NewServer(pool, log))
	crmv1.RegisterCustomerServiceServer(server, customer.NewServer(pool, log, index.Customers).In("CZ").With(attributes).ListBy(customerlist.Schema))
	crmv1.RegisterAttributeServiceServer(server, attribute.NewServer(pool, log, attributes, customer.Attributes{}))
	crmv1.RegisterAccountServiceServer(server, account.NewServer(pool, log).ListBy(customerlist.OfAccount))
	crmv1.RegisterCardServiceServer(server, card.NewServer(pool, log))
	crmv1.RegisterContractServiceServer(server, contract.NewServer(pool, log))
	crmv1.RegisterInstalmentServiceServer(server, contract.NewInstalmentServer(pool, log))
	crmv1.RegisterInteractionServiceServer(server, interaction.NewServer(pool, log, prague))
	crmv1.RegisterServiceLevelServiceServer(server, servicelevel.NewServer(pool, log))
	crmv1.RegisterBehaviourServiceServer(server, behaviour.NewServer(behaviour.NewRecorder(pool, prague, 0)))
	crmv1.RegisterConsentServiceServer(server, consent.NewServer(pool, log))
	crmv1.RegisterDocumentServiceServer(server, document.NewServer(pool, log, index.Documents))
	crmv1.RegisterRelationServiceServer(server, relation.NewServer(pool, log))
	crmv1.RegisterCustomer360ServiceServer(server, customer360.NewServer(pool))
	ledger := transaction.NewLedger(pool, "CZK")
	crmv1.RegisterTransactionServiceServer(server, transaction.NewServer(ledger))
	crmv1.RegisterBalanceServiceServer(server, transaction.NewBalanceServer(ledger))
	crmv1.RegisterTimelineServiceServer(server, timeline.NewServer(pool, prague))
	crmv1.RegisterSearchServiceServer(server, search.NewServer(pool).With(attributes))
	crmv1.RegisterAuditServiceServer(server, audit.NewServer(pool))

	listener := bufconn.Listen(1 << 20)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	b.conn, err = grpc.NewClient("passthrough:///bank", append(b.callers.Dial(t), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		server.GracefulStop()
		if err := errors.Join(<-served, b.conn.Close()); err != nil {
			t.Errorf("stop the server: %v", err)
		}
	})
}

// guard holds calls to the bank's policy.
func (b *bank) guard(t *testing.T, pool *pgxpool.Pool) *access.Guard {
	t.Helper()
	policy, err := access.Load("")
	if b.policy != "" {
		policy, err = access.Parse("test", []byte(b.policy))
	}
	if err != nil {
		t.Fatal(err)
	}
	return access.NewGuard(policy, pool)
}

// furnish adds the records that samples refer to: a region, a branch, a manager, a product, two customers, two accounts
// and an owner of the first.
func (b *bank) furnish(t *testing.T) {
	t.Helper()
	b.upsert(t, regions, &crmv1.Region{Key: fixed("region"), Name: "Praha"})
	b.upsert(t, branches, &crmv1.Branch{Key: fixed("branch"), Name: "Praha 1", RegionKey: fixed("region")})
	b.upsert(t, managers, &crmv1.Manager{Key: fixed("manager"), Name: "Jana Malá", BranchKey: fixed("branch")})
	b.upsert(t, products, &crmv1.Product{Key: fixed("product"), Code: "CA", Name: "Current account", Family: crmv1.ProductFamily_PRODUCT_FAMILY_CURRENT_ACCOUNT})
	person := func(key string) *crmv1.Customer {
		return &crmv1.Customer{Key: fixed(key), Party: &crmv1.Customer_Individual{Individual: &crmv1.Individual{GivenName: "Eva"}}}
	}
	b.upsert(t, customers, person("customer"), person("other customer"))
	b.upsert(t, accounts, &crmv1.Account{Key: fixed("account"), Currency: "CZK"}, &crmv1.Account{Key: fixed("other account"), Currency: "EUR"})
	agreement := func(key string) *crmv1.Contract {
		return &crmv1.Contract{Key: fixed(key), Kind: crmv1.ContractKind_CONTRACT_KIND_CURRENT_ACCOUNT, Currency: "CZK"}
	}
	b.upsert(t, contracts, agreement("contract"), agreement("other contract"))
	b.upsert(t, holders, &crmv1.AccountHolder{
		Key: fixed("holder"), AccountKey: fixed("account"), CustomerKey: fixed("customer"), Role: crmv1.HolderRole_HOLDER_ROLE_OWNER,
	})
}

// fixed is the key of a record of furnish.
func fixed(name string) *crmv1.ExternalKey {
	return &crmv1.ExternalKey{Source: "fixture", ExternalId: name}
}

// upsert writes records that must be taken and returns their ids.
func (b *bank) upsert(t *testing.T, k kind, records ...proto.Message) []int64 {
	t.Helper()
	results, err := b.batch(t.Context(), k, records, "", false)
	if err != nil {
		t.Fatalf("upsert %s: %v", k.name, err)
	}
	ids := make([]int64, len(results))
	for i, result := range results {
		if result.GetError() != nil {
			t.Fatalf("upsert %s %d: %s", k.name, i, result.GetError().GetMessage())
		}
		ids[i] = result.GetId()
	}
	return ids
}

// changes returns the events of one record in the order of the outbox.
func (b *bank) changes(t *testing.T, k kind, id int64) []*eventsv1.Change {
	t.Helper()
	rows, err := b.pool.Query(t.Context(), "SELECT payload FROM outbox WHERE entity = $1 AND entity_id = $2 ORDER BY outbox_id", k.name, id)
	if err != nil {
		t.Fatal(err)
	}
	payloads, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	if err != nil {
		t.Fatal(err)
	}
	changes := make([]*eventsv1.Change, len(payloads))
	for i, payload := range payloads {
		changes[i] = &eventsv1.Change{}
		if err := proto.Unmarshal(payload, changes[i]); err != nil {
			t.Fatal(err)
		}
	}
	return changes
}

// wantVersions checks that a record left one event for each of its versions and no other.
func (b *bank) wantVersions(t *testing.T, k kind, id int64, last int) {
	t.Helper()
	changes := b.changes(t, k, id)
	if len(changes) != last {
		t.Errorf("%s %d left %d events, want %d", k.name, id, len(changes), last)
		return
	}
	for i, c := range changes {
		if c.GetVersion() != int64(i+1) || c.GetEntity() != k.name || c.GetEntityId() != id || c.GetPayload() == nil || c.GetEventId() == "" {
			t.Errorf("%s %d: event %d is %v", k.name, id, i, c)
		}
	}
}
