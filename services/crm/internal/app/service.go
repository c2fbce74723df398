package app

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"

	"tandem.bank/pkg/grpcserver"
	"tandem.bank/pkg/lifecycle"
	"tandem.bank/pkg/natsx"
	"tandem.bank/pkg/telemetry"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/access"
	"tandem.bank/services/crm/internal/account"
	"tandem.bank/services/crm/internal/attribute"
	"tandem.bank/services/crm/internal/audit"
	"tandem.bank/services/crm/internal/behaviour"
	"tandem.bank/services/crm/internal/branch"
	"tandem.bank/services/crm/internal/card"
	"tandem.bank/services/crm/internal/changestream"
	"tandem.bank/services/crm/internal/consent"
	"tandem.bank/services/crm/internal/contract"
	"tandem.bank/services/crm/internal/customer"
	"tandem.bank/services/crm/internal/customer360"
	"tandem.bank/services/crm/internal/customerlist"
	"tandem.bank/services/crm/internal/definition"
	"tandem.bank/services/crm/internal/document"
	"tandem.bank/services/crm/internal/insight"
	"tandem.bank/services/crm/internal/interaction"
	"tandem.bank/services/crm/internal/outbox"
	"tandem.bank/services/crm/internal/plan"
	"tandem.bank/services/crm/internal/product"
	"tandem.bank/services/crm/internal/relation"
	"tandem.bank/services/crm/internal/relay"
	"tandem.bank/services/crm/internal/search"
	"tandem.bank/services/crm/internal/serviceaccount"
	"tandem.bank/services/crm/internal/servicelevel"
	"tandem.bank/services/crm/internal/timeline"
	"tandem.bank/services/crm/internal/transaction"
)

// service is what the parts share.
type service struct {
	config   *Config
	log      *slog.Logger
	pool     *pgxpool.Pool
	js       jetstream.JetStream
	registry *prometheus.Registry
	// behaviour records events and drops old ones.
	behaviour *behaviour.Recorder
	// analytics compiles definitions.
	analytics *grpc.ClientConn
}

// parts builds everything that runs, in the order in which it starts: what others lean on comes first.
func (s *service) parts(checks []telemetry.Check) ([]lifecycle.Part, error) {
	location, err := time.LoadLocation(s.config.TimeZone)
	if err != nil {
		return nil, err
	}
	maintainer, err := outbox.NewMaintainer(outbox.MaintainerConfig{
		Pool: s.pool, Logger: s.log, Registerer: s.registry, SlotName: s.config.RelaySlot, Retention: s.config.OutboxRetention,
	})
	if err != nil {
		return nil, err
	}
	window, err := transaction.NewWindow(transaction.WindowConfig{
		Pool: s.pool, Logger: s.log, Registerer: s.registry, SlotName: s.config.RelaySlot, Months: s.config.TransactionsWindow,
	})
	if err != nil {
		return nil, err
	}
	streams := []natsx.StreamOption{natsx.WithReplicas(s.config.NATSReplicas)}
	publisher, err := relay.New(relay.Config{
		Pool: s.pool, JetStream: s.js, StreamOptions: streams, Logger: s.log, Registerer: s.registry, SlotName: s.config.RelaySlot,
	})
	if err != nil {
		return nil, err
	}
	sealer, err := audit.NewSealer(audit.SealerConfig{Pool: s.pool, Logger: s.log, Registerer: s.registry})
	if err != nil {
		return nil, err
	}
	s.behaviour = behaviour.NewRecorder(s.pool, location, s.config.BehaviourWindow)
	server, err := s.server(publisher, location)
	if err != nil {
		return nil, err
	}
	insights, err := insight.NewConsumer(insight.Config{
		Pool: s.pool, JetStream: s.js, StreamOptions: streams, Logger: s.log, Registerer: s.registry, KnownCustomers: customer.Known,
		Calls: server.Calls,
	})
	if err != nil {
		return nil, err
	}
	return []lifecycle.Part{
		{Name: "outbox maintenance", Run: maintainer.Run},
		{Name: "transaction window", Run: window.Run},
		{Name: "audit sealer", Run: sealer.Run},
		prune(s.pool, s.log),
		{Name: "behaviour window", Run: func(ctx context.Context) error { return s.behaviour.Run(ctx, s.log) }},
		{Name: "search filler", Run: search.NewFiller(s.pool, s.log).Run},
		{Name: "relay", Run: publisher.Run},
		{Name: "insights", Run: insights.Run},
		{Name: "gRPC", Run: server.Run},
		{Name: "HTTP", Run: func(ctx context.Context) error {
			return telemetry.Serve(ctx, s.config.HTTPAddr, s.registry, checks...)
		}},
	}, nil
}

// callsPerConnection says how many calls may wait for a connection or work with it. Calls take a few milliseconds each: the last
// in such a queue is answered soon, and what comes on top is refused at once instead of waiting until its deadline.
const callsPerConnection = 8

// server builds the API: who calls, what is on record, who may, and every room.
func (s *service) server(publisher *relay.Relay, location *time.Location) (*grpcserver.Server, error) {
	policy, err := access.Load(s.config.PolicyFile)
	if err != nil {
		return nil, err
	}
	guard := access.NewGuard(policy, s.pool)
	reads := audit.NewReads(audit.NewRecorder(s.pool), account.CustomersOf(s.pool), contract.CustomersOf(s.pool))
	transport, err := s.config.Auth.TLS.Server()
	if err != nil {
		return nil, err
	}
	callers, err := s.config.Auth.Verifier(s.log, serviceaccount.NewSource(s.pool))
	if err != nil {
		return nil, err
	}
	server, err := grpcserver.New(grpcserver.Config{
		Addr: s.config.GRPCAddr, Logger: s.log, Registry: s.registry, Away: away,
		CallsInFlightMax: callsPerConnection * int(s.pool.Config().MaxConns),
		TLS:              transport,
		Unary:            []grpc.UnaryServerInterceptor{callers.Unary, audit.UnaryCaller, reads.Unary, guard.Unary},
		Stream:           []grpc.StreamServerInterceptor{callers.Stream, audit.StreamCaller, reads.Stream, guard.Stream},
	})
	if err != nil {
		return nil, err
	}
	if err := s.register(server, guard, publisher, location); err != nil {
		return nil, err
	}
	if err := guard.Covers(server.GetServiceInfo()); err != nil {
		return nil, fmt.Errorf("methods that nobody may call: %w", err)
	}
	return server, nil
}

// register puts every room behind a server.
func (s *service) register(server grpc.ServiceRegistrar, guard *access.Guard, publisher *relay.Relay, location *time.Location) error {
	changes, err := changestream.NewServer(changestream.Config{
		Pool: s.pool, JetStream: s.js, Relay: publisher, SlotName: s.config.RelaySlot, Logger: s.log,
	})
	if err != nil {
		return err
	}
	delegate, err := s.config.delegate()
	if err != nil {
		return err
	}
	attributes := attribute.NewCatalogue()
	index := search.NewIndex(attributes)
	crmv1.RegisterBranchServiceServer(server, branch.NewServer(s.pool, s.log))
	crmv1.RegisterProductServiceServer(server, product.NewServer(s.pool, s.log))
	customers := customer.NewServer(s.pool, s.log, index.Customers).In(s.config.Country).With(attributes).ListBy(customerlist.Schema)
	crmv1.RegisterCustomerServiceServer(server, customers)
	crmv1.RegisterAttributeServiceServer(server, attribute.NewServer(s.pool, s.log, attributes, customer.Attributes{}))
	crmv1.RegisterAccountServiceServer(server, account.NewServer(s.pool, s.log).ListBy(customerlist.OfAccount))
	crmv1.RegisterRelationServiceServer(server, relation.NewServer(s.pool, s.log))
	crmv1.RegisterCardServiceServer(server, card.NewServer(s.pool, s.log))
	crmv1.RegisterContractServiceServer(server, contract.NewServer(s.pool, s.log))
	crmv1.RegisterInstalmentServiceServer(server, contract.NewInstalmentServer(s.pool, s.log))
	crmv1.RegisterInteractionServiceServer(server, interaction.NewServer(s.pool, s.log, location))
	crmv1.RegisterServiceLevelServiceServer(server, servicelevel.NewServer(s.pool, s.log))
	crmv1.RegisterBehaviourServiceServer(server, behaviour.NewServer(s.behaviour))
	crmv1.RegisterTimelineServiceServer(server, timeline.NewServer(s.pool, location))
	crmv1.RegisterConsentServiceServer(server, consent.NewServer(s.pool, s.log))
	crmv1.RegisterDocumentServiceServer(server, document.NewServer(s.pool, s.log, index.Documents))
	ledger := transaction.NewLedger(s.pool, s.config.BaseCurrency)
	crmv1.RegisterTransactionServiceServer(server, transaction.NewServer(ledger))
	crmv1.RegisterBalanceServiceServer(server, transaction.NewBalanceServer(ledger))
	crmv1.RegisterCustomer360ServiceServer(server, customer360.NewServer(s.pool))
	crmv1.RegisterSearchServiceServer(server, search.NewServer(s.pool).With(attributes))
	crmv1.RegisterChangeStreamServiceServer(server, changes)
	crmv1.RegisterPlanServiceServer(server, plan.NewServer(s.pool))
	crmv1.RegisterDefinitionServiceServer(server, definition.NewServer(s.pool, s.log, definition.NewAnalytics(s.analytics, delegate)))
	crmv1.RegisterServiceAccountServiceServer(server, serviceaccount.NewServer(s.pool, s.log))
	crmv1.RegisterAuditServiceServer(server, audit.NewServer(s.pool))
	crmv1.RegisterAccessServiceServer(server, access.NewServer(guard, s.pool, customer.Table, account.Table, account.HolderTable, card.Table,
		contract.Table, interaction.Table, consent.Table, relation.Table, document.Table))
	return nil
}
