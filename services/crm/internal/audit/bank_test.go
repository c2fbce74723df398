package audit_test

import (
	"context"
	"errors"
	"io"
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

	"tandem.bank/pkg/grpcserver"
	"tandem.bank/pkg/testkit"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/account"
	"tandem.bank/services/crm/internal/audit"
	"tandem.bank/services/crm/internal/consent"
	"tandem.bank/services/crm/internal/contract"
	"tandem.bank/services/crm/internal/customer"
	"tandem.bank/services/crm/internal/customer360"
	"tandem.bank/services/crm/internal/relation"
	"tandem.bank/services/crm/migrations"
)

var template = testkit.Template{Name: "audit", Migrate: migrations.Migrate}

// bank is a database with customers and their audit in front of it.
type bank struct {
	pool      *pgxpool.Pool
	callers   *testkit.Identity
	sealer    *audit.Sealer
	audit     crmv1.AuditServiceClient
	customers crmv1.CustomerServiceClient
	consents  crmv1.ConsentServiceClient
	relations crmv1.RelationServiceClient
	screens   crmv1.Customer360ServiceClient
}

func newBank(t testing.TB, entriesMax int) *bank {
	t.Helper()
	b := &bank{pool: testkit.Postgres(t, template), callers: testkit.NewIdentity(t)}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	var err error
	b.sealer, err = audit.NewSealer(audit.SealerConfig{
		Pool: b.pool, Logger: log, Registerer: prometheus.NewRegistry(), EntriesMax: entriesMax, Interval: 5 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	reads := audit.NewReads(audit.NewRecorder(b.pool), account.CustomersOf(b.pool), contract.CustomersOf(b.pool))
	server, err := grpcserver.New(grpcserver.Config{
		Addr: "in memory", Logger: log, Registry: prometheus.NewRegistry(),
		Unary:  []grpc.UnaryServerInterceptor{b.callers.Verifier.Unary, audit.UnaryCaller, reads.Unary},
		Stream: []grpc.StreamServerInterceptor{b.callers.Verifier.Stream, audit.StreamCaller, reads.Stream},
	})
	if err != nil {
		t.Fatal(err)
	}
	crmv1.RegisterCustomerServiceServer(server, customer.NewServer(b.pool, log))
	crmv1.RegisterConsentServiceServer(server, consent.NewServer(b.pool, log))
	crmv1.RegisterRelationServiceServer(server, relation.NewServer(b.pool, log))
	crmv1.RegisterCustomer360ServiceServer(server, customer360.NewServer(b.pool))
	crmv1.RegisterAuditServiceServer(server, audit.NewServer(b.pool))
	listener := bufconn.Listen(1 << 20)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	conn, err := grpc.NewClient("passthrough:///bank", append(b.callers.Dial(t), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		server.GracefulStop()
		if err := errors.Join(<-served, conn.Close()); err != nil {
			t.Errorf("stop the server: %v", err)
		}
	})
	b.audit, b.customers, b.screens = crmv1.NewAuditServiceClient(conn), crmv1.NewCustomerServiceClient(conn), crmv1.NewCustomer360ServiceClient(conn)
	b.consents, b.relations = crmv1.NewConsentServiceClient(conn), crmv1.NewRelationServiceClient(conn)
	return b
}

// as is a context of a call by an actor.
func (b *bank) as(t testing.TB, actor string) context.Context {
	return b.callers.As(t, t.Context(), actor)
}

func person(given string) *crmv1.Customer {
	return &crmv1.Customer{Party: &crmv1.Customer_Individual{Individual: &crmv1.Individual{GivenName: given}}}
}

func (b *bank) create(t testing.TB, given string) *crmv1.Customer {
	t.Helper()
	answer, err := b.customers.CreateCustomer(b.as(t, "eva"), &crmv1.CreateCustomerRequest{Customer: person(given)})
	if err != nil {
		t.Fatal(err)
	}
	return answer.GetCustomer()
}

// seal closes blocks until every entry is in one.
func (b *bank) seal(t testing.TB) {
	t.Helper()
	testkit.Eventually(t, testkit.Patience, func() error {
		if _, err := b.sealer.Seal(t.Context()); err != nil {
			return err
		}
		head, err := b.audit.GetAuditHead(t.Context(), &crmv1.GetAuditHeadRequest{})
		if err == nil && head.GetUnsealedEntries() > 0 {
			err = errors.New("entries wait")
		}
		return err
	})
}

// verify returns what is found, and the last step.
func (b *bank) verify(t testing.TB, from, to int64) (findings []*crmv1.AuditFinding, last *crmv1.VerifyAuditResponse) {
	t.Helper()
	stream, err := b.audit.VerifyAudit(t.Context(), &crmv1.VerifyAuditRequest{FromBlock: from, ToBlock: to})
	if err != nil {
		t.Fatal(err)
	}
	for {
		step, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return findings, last
		}
		if err != nil {
			t.Fatal(err)
		}
		findings, last = append(findings, step.GetFindings()...), step
	}
}

// tamper runs statements as the owner of the database who has switched the triggers off.
func (b *bank) tamper(t testing.TB, statements ...string) {
	t.Helper()
	err := pgx.BeginFunc(t.Context(), b.pool, func(tx pgx.Tx) error {
		for _, sql := range append([]string{"SET LOCAL session_replication_role = replica"}, statements...) {
			if _, err := tx.Exec(t.Context(), sql); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (b *bank) list(t testing.TB, req *crmv1.ListAuditEntriesRequest) []*crmv1.AuditEntry {
	t.Helper()
	var all []*crmv1.AuditEntry
	for {
		answer, err := b.audit.ListAuditEntries(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, answer.GetEntries()...)
		if answer.GetNextPageToken() == "" {
			return all
		}
		req.PageToken = answer.GetNextPageToken()
	}
}
