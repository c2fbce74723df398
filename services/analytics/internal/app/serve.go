package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"

	"tandem.bank/pkg/grpcserver"
	"tandem.bank/pkg/lifecycle"
	"tandem.bank/pkg/natsx"
	"tandem.bank/pkg/telemetry"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	"tandem.bank/services/analytics/internal/audit"
	"tandem.bank/services/analytics/internal/clv"
	"tandem.bank/services/analytics/internal/customerfact"
	"tandem.bank/services/analytics/internal/definition"
	"tandem.bank/services/analytics/internal/export"
	"tandem.bank/services/analytics/internal/ingest"
	"tandem.bank/services/analytics/internal/insight"
	"tandem.bank/services/analytics/internal/performance"
	"tandem.bank/services/analytics/internal/permission"
	"tandem.bank/services/analytics/internal/report"
	"tandem.bank/services/analytics/internal/rfm"
	"tandem.bank/services/analytics/internal/run"
	"tandem.bank/services/analytics/internal/schedule"
	"tandem.bank/services/analytics/internal/warehouse"
	"tandem.bank/services/analytics/migrations"
)

// Migrate brings the warehouse to the newest schema.
func Migrate(ctx context.Context, config *Config) error {
	if err := config.checkEngines(); err != nil {
		return err
	}
	url, err := config.WarehouseURL()
	if err != nil {
		return err
	}
	return migrations.Migrate(ctx, url)
}

// Serve runs analytics until the context ends. What was opened is closed in reverse, also when the start fails
// half-way. ClickHouse and NATS may be away at the start and at any time: the service then is not healthy, and waits.
func Serve(ctx context.Context, config *Config, migrate bool) error {
	if err := config.Check(); err != nil {
		return err
	}
	log, err := telemetry.NewLogger(os.Stderr, "analytics", config.LogLevel)
	if err != nil {
		return err
	}
	if migrate {
		if err := Migrate(ctx, config); err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
	}
	url, err := config.WarehouseURL()
	if err != nil {
		return err
	}
	conn, err := warehouse.Open(warehouse.Config{URL: url})
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	nc, js, err := natsx.Connect(ctx, natsx.Config{URL: config.NATSURL, Name: "analytics", Logger: log})
	if err != nil {
		return err
	}
	defer nc.Close()
	service := &service{config: config, log: log, warehouse: conn, nats: nc, js: js, registry: telemetry.NewRegistry()}
	parts, err := service.parts()
	if err != nil {
		return err
	}
	return lifecycle.Run(ctx, log, parts...)
}

// service is what the parts share.
type service struct {
	config    *Config
	log       *slog.Logger
	warehouse driver.Conn
	nats      *nats.Conn
	js        jetstream.JetStream
	registry  *prometheus.Registry
	runs      *run.Service
}

// parts builds everything that runs, in the order in which it starts: what others lean on comes first.
func (s *service) parts() ([]lifecycle.Part, error) {
	location, err := time.LoadLocation(s.config.TimeZone)
	if err != nil {
		return nil, err
	}
	facts, keeper, changes, err := s.following(location)
	if err != nil {
		return nil, err
	}
	server, err := s.server()
	if err != nil {
		return nil, err
	}
	if s.runs, err = run.New(run.Config{Dir: filepath.Join(s.config.exportDir(), "runs"), Logger: s.log}); err != nil {
		return nil, err
	}
	analyticsv1.RegisterRunOperationServiceServer(server, run.NewServer(s.runs))
	definitions := definition.NewStore(s.warehouse)
	reports, ready, exports, err := s.reporting(server, changes.NewestChange, location, definitions)
	if err != nil {
		return nil, err
	}
	kinds := compilers(reports)
	analyticsv1.RegisterDefinitionServiceServer(server, definition.NewServer(kinds))
	scheduler, err := s.scheduler(server, location, definitions)
	if err != nil {
		return nil, err
	}
	scheduler.Register(definition.KindReport, exports.RunDefinition)
	valued, err := s.valuing(server, changes.NewestChange, location, definitions, scheduler)
	if err != nil {
		return nil, err
	}
	analyticsv1.RegisterAuditCopyServiceServer(server, audit.NewServer(s.warehouse))
	factServer := customerfact.NewServer(facts, keeper)
	run.Register(s.runs, analyticsv1.FactService_RefreshFacts_FullMethodName, factServer.RefreshFacts)
	analyticsv1.RegisterFactServiceServer(server, factServer)
	segments, overFacts, err := s.overFacts(server, location, facts, changes.NewestChange, definitions, kinds, scheduler)
	if err != nil {
		return nil, err
	}
	analyticsv1.RegisterIngestServiceServer(server, ingest.NewServer(changes, keeper.Await, segments.Await))
	return append(append(overFacts, valued...), []lifecycle.Part{
		{Name: "customer facts", Run: keeper.Run},
		{Name: "ingest", Run: changes.Run},
		{Name: "ready reports", Run: ready.KeepReady},
		{Name: "exports", Run: exports.Run},
		{Name: "runs", Run: s.runs.Run},
		{Name: "schedule", Run: scheduler.Run},
		{Name: "gRPC", Run: server.Run},
		{Name: "HTTP", Run: func(ctx context.Context) error {
			return telemetry.Serve(ctx, s.config.HTTPAddr, s.registry, s.checks()...)
		}},
	}...), nil
}

// following builds what is known of customers, what keeps that up to date, and the ingestion that both follow.
func (s *service) following(location *time.Location) (*customerfact.Service, *customerfact.Keeper, *ingest.Ingest, error) {
	facts, err := customerfact.New(customerfact.Config{Warehouse: s.warehouse, TimeZone: location, Logger: s.log})
	if err != nil {
		return nil, nil, nil, err
	}
	keeper, err := customerfact.NewKeeper(customerfact.KeeperConfig{Facts: facts, Logger: s.log, Registry: s.registry})
	if err != nil {
		return nil, nil, nil, err
	}
	changes, err := ingest.New(ingest.Config{
		Warehouse: s.warehouse, JetStream: s.js, Logger: s.log, Registry: s.registry, Stored: keeper.Stored,
	})
	return facts, keeper, changes, err
}

// valuing builds RFM and lifetime value, and registers their services and schedules. The parts send their results home.
func (s *service) valuing(
	server *grpcserver.Server, newest func() time.Time, location *time.Location, saved *definition.Store, scheduler *schedule.Scheduler,
) ([]lifecycle.Part, error) {
	values, err := rfm.New(rfm.Config{Warehouse: s.warehouse, NewestChange: newest, TimeZone: location, Logger: s.log})
	if err != nil {
		return nil, err
	}
	insights, err := insight.New(insight.Config{JetStream: s.js, Source: values, Logger: s.log, Registry: s.registry})
	if err != nil {
		return nil, err
	}
	worth, err := clv.New(clv.Config{Warehouse: s.warehouse, NewestChange: newest, Logger: s.log})
	if err != nil {
		return nil, err
	}
	worthInsights, err := insight.New(insight.Config{JetStream: s.js, Source: worth, Logger: s.log, Registry: s.registry})
	if err != nil {
		return nil, err
	}
	rfmServer := rfm.NewServer(values, insights, saved)
	scheduler.Register(definition.KindRFM, rfmServer.RunDefinition)
	run.Register(s.runs, analyticsv1.RfmService_RunRfm_FullMethodName, rfmServer.RunRfm)
	analyticsv1.RegisterRfmServiceServer(server, rfmServer)
	clvServer := clv.NewServer(worth, worthInsights, saved)
	scheduler.Register(definition.KindCLV, clvServer.RunDefinition)
	run.Register(s.runs, analyticsv1.ClvService_RunClv_FullMethodName, clvServer.RunClv)
	analyticsv1.RegisterClvServiceServer(server, clvServer)
	return []lifecycle.Part{
		{Name: "insights of RFM", Run: insights.Run},
		{Name: "insights of lifetime value", Run: worthInsights.Run},
	}, nil
}

// scheduler builds what runs definitions by themselves, and registers its service.
func (s *service) scheduler(server *grpcserver.Server, location *time.Location, saved *definition.Store) (*schedule.Scheduler, error) {
	scheduler, err := schedule.New(schedule.Config{
		Warehouse: s.warehouse, Definitions: saved, Locks: natsx.NewLocks(s.js, 0), TimeZone: location, Logger: s.log, Registry: s.registry,
	})
	if err != nil {
		return nil, err
	}
	analyticsv1.RegisterScheduleServiceServer(server, schedule.NewServer(scheduler))
	return scheduler, nil
}

// reporting builds reports with all that leans on them, and registers their services.
func (s *service) reporting(
	server *grpcserver.Server, newest func() time.Time, location *time.Location, saved *definition.Store,
) (*report.Service, *report.Server, *export.Service, error) {
	reports, library, err := s.reports(newest, location, saved)
	if err != nil {
		return nil, nil, nil, err
	}
	exports, err := export.New(export.Config{Reports: reports, Dir: s.config.exportDir(), Logger: s.log})
	if err != nil {
		return nil, nil, nil, err
	}
	ready := report.NewServer(reports, library)
	analyticsv1.RegisterReportServiceServer(server, ready)
	analyticsv1.RegisterExportServiceServer(server, export.NewServer(exports, library))
	analyticsv1.RegisterPerformanceServiceServer(server, performance.NewServer(performance.New(s.warehouse, reports)))
	return reports, ready, exports, nil
}

// reports reads the catalogue over the database of views that belongs to the warehouse's, and the reports that come with us.
func (s *service) reports(newest func() time.Time, location *time.Location, saved *definition.Store) (*report.Service, *report.Library, error) {
	database, err := warehouse.Database(s.config.ClickHouseURL)
	if err != nil {
		return nil, nil, err
	}
	catalogue, err := report.Builtin(migrations.BIDatabase(database))
	if err != nil {
		return nil, nil, err
	}
	key, err := s.config.drillKey()
	if err != nil {
		return nil, nil, err
	}
	reports, err := report.New(report.Config{
		Warehouse: s.warehouse, Catalogue: catalogue, NewestChange: newest, TimeZone: location, Key: key, Logger: s.log,
		KeepFor: s.config.ReportsKeep, KeepSlower: keepSlower,
	})
	if err != nil {
		return nil, nil, err
	}
	library, err := report.NewLibrary(saved)
	return reports, library, err
}

// compilers are those of every kind of definition.
func compilers(reports *report.Service) *definition.Registry {
	kinds := definition.NewRegistry()
	kinds.Register(definition.KindRFM, rfm.Compile)
	kinds.Register(definition.KindCLV, clv.Compile)
	kinds.Register(definition.KindReport, reports.Compile)
	return kinds
}

// server lets callers in whose tokens are good and whose roles fit. Service accounts sign their own tokens, and only crm
// knows their keys: a program that calls analytics needs a token of the identity provider or of a key in the key file. When
// a service account saves a definition in crm, crm asks here in its name, by such a key.
func (s *service) server() (*grpcserver.Server, error) {
	transport, err := s.config.Auth.TLS.Server()
	if err != nil {
		return nil, err
	}
	believed := s.config.Auth
	believed.Delegation = true
	callers, err := believed.Verifier(s.log)
	if err != nil {
		return nil, err
	}
	return grpcserver.New(grpcserver.Config{
		Addr: s.config.GRPCAddr, Logger: s.log, Registry: s.registry, TLS: transport,
		Unary:  []grpc.UnaryServerInterceptor{callers.Unary, permission.Unary},
		Stream: []grpc.StreamServerInterceptor{callers.Stream, permission.Stream},
	})
}

var errNATS = errors.New("is not connected")

// checks decide whether the service is ready.
func (s *service) checks() []telemetry.Check {
	return []telemetry.Check{
		{Name: "clickhouse", Probe: s.warehouse.Ping},
		{Name: "migrations", Probe: func(ctx context.Context) error { return migrations.Check(ctx, s.warehouse) }},
		{Name: "nats", Probe: func(ctx context.Context) error {
			if !s.nats.IsConnected() {
				return errNATS
			}
			// Connected is not enough: JetStream starts later than the server.
			_, err := s.js.AccountInfo(ctx)
			return err
		}},
	}
}
