package app

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"tandem.bank/pkg/lifecycle"
	"tandem.bank/pkg/natsx"
	"tandem.bank/pkg/telemetry"
	"tandem.bank/services/crm/internal/request"
	"tandem.bank/services/crm/migrations"
)

// pruneInterval is how often old answers of idempotent calls are forgotten.
const pruneInterval = time.Hour

// Migrate brings the database to the newest schema.
func Migrate(ctx context.Context, config *Config) error {
	if err := config.checkEngines(); err != nil {
		return err
	}
	url, err := config.DatabaseURL()
	if err != nil {
		return err
	}
	return migrations.Migrate(ctx, url)
}

// Serve runs crm until the context ends. What was opened is closed in reverse, also when the start fails half-way.
func Serve(ctx context.Context, config *Config, migrate bool) error {
	if err := config.Check(); err != nil {
		return err
	}
	log, err := telemetry.NewLogger(os.Stderr, "crm", config.LogLevel)
	if err != nil {
		return err
	}
	if migrate {
		if err := Migrate(ctx, config); err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
	}
	pool, err := connect(ctx, config)
	if err != nil {
		return err
	}
	defer pool.Close()
	if err := pinBank(ctx, pool, config); err != nil {
		return err
	}
	nc, js, err := natsx.Connect(ctx, natsx.Config{URL: config.NATSURL, Name: "crm", Logger: log})
	if err != nil {
		return err
	}
	defer nc.Close()

	analytics, err := config.dialAnalytics()
	if err != nil {
		return err
	}
	defer func() { _ = analytics.Close() }()
	service := &service{config: config, log: log, pool: pool, js: js, registry: telemetry.NewRegistry(), analytics: analytics}
	// NATS is not among what makes crm unhealthy: the front office works without it, and the outbox keeps the events.
	parts, err := service.parts([]telemetry.Check{{Name: "postgres", Probe: pool.Ping}})
	if err != nil {
		return err
	}
	return lifecycle.Run(ctx, log, parts...)
}

func connect(ctx context.Context, config *Config) (*pgxpool.Pool, error) {
	url, err := config.DatabaseURL()
	if err != nil {
		return nil, err
	}
	settings, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("CRM_POSTGRES_URL: %w", err)
	}
	settings.MaxConns = config.PostgresConnsMax
	// "Today" in SQL is the bank's day, wherever the database stands.
	settings.ConnConfig.RuntimeParams["timezone"] = config.TimeZone
	pool, err := pgxpool.NewWithConfig(ctx, settings)
	if err != nil {
		return nil, err
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("connect to Postgres: %w", err)
	}
	return pool, nil
}

// prune forgets old answers of idempotent calls.
func prune(pool *pgxpool.Pool, log *slog.Logger) lifecycle.Part {
	return lifecycle.Part{Name: "request pruning", Run: func(ctx context.Context) error {
		return lifecycle.Every(ctx, pruneInterval, func(ctx context.Context) {
			if err := request.Prune(ctx, pool); err != nil && ctx.Err() == nil {
				log.Warn("old answers of calls could not be forgotten; it is tried again", "error", err)
			}
		})
	}}
}
