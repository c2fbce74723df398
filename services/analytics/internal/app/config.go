// Package app wires analytics together; nothing is decided here.
package app

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
	_ "time/tzdata" // the zone of the bank must be known on a machine without a zone database

	"tandem.bank/pkg/auth"
	"tandem.bank/services/analytics/internal/report"
	"tandem.bank/services/analytics/internal/warehouse"
)

// Config is everything that analytics can be told. Secrets come from files.
type Config struct {
	GRPCAddr               string        `name:"grpc-addr" env:"ANALYTICS_GRPC_ADDR" default:"127.0.0.1:7410" help:"Address of the gRPC API."`
	HTTPAddr               string        `name:"http-addr" env:"ANALYTICS_HTTP_ADDR" default:"127.0.0.1:7411" help:"Address of /healthz and /metrics."`
	ClickHouseURL          string        `name:"clickhouse-url" env:"ANALYTICS_CLICKHOUSE_URL" default:"clickhouse://default@127.0.0.1:7490/tandem" help:"URL of the warehouse, native protocol, without the password."`
	ClickHousePasswordFile string        `name:"clickhouse-password-file" env:"ANALYTICS_CLICKHOUSE_PASSWORD_FILE" help:"File that holds the password of the warehouse."`
	NATSURL                string        `name:"nats-url" env:"ANALYTICS_NATS_URL" default:"nats://127.0.0.1:7422" help:"URL of NATS."`
	TimeZone               string        `name:"time-zone" env:"ANALYTICS_TIME_ZONE" default:"Europe/Prague" help:"IANA zone of the bank's calendar: it tells which day is today."`
	DrillKeyFile           string        `name:"drill-key-file" env:"ANALYTICS_DRILL_KEY_FILE" help:"File of at least 32 random bytes that sign the tokens of reports' cells; without it they end with the process, and are good at one server only."`
	ExportDir              string        `name:"export-dir" env:"ANALYTICS_EXPORT_DIR" help:"Folder for exported reports and the states of runs, used by this server only; default is one in the system's folder for temporary files."`
	ReportsKeep            time.Duration `name:"reports-keep" env:"ANALYTICS_REPORTS_KEEP" default:"1h" help:"How long answers of reports that take longer than half a second are kept, to be told again with their age; 0 keeps none. Those that come with Tandem are computed ahead."`
	LogLevel               string        `name:"log-level" env:"ANALYTICS_LOG_LEVEL" default:"info" enum:"debug,info,warn,error" help:"Least severe log line: debug, info, warn, error."`

	// Auth says whom to believe.
	Auth auth.Settings `embed:"" envprefix:"ANALYTICS_"`
}

// keepSlower is how long the first row took of an answer that is worth keeping: half of what readers are promised.
const keepSlower = 500 * time.Millisecond

// HealthAddr is where the service answers /healthz.
func (c *Config) HealthAddr() string { return c.HTTPAddr }

// Check names every setting that can't work.
func (c *Config) Check() error { return errors.Join(c.checkEngines(), c.Auth.Validate("ANALYTICS_")) }

// checkEngines does so for what the service works with; a migration needs no more.
func (c *Config) checkEngines() error {
	var errs []error
	if err := (warehouse.Config{URL: c.ClickHouseURL}).Validate(); err != nil {
		errs = append(errs, fmt.Errorf("ANALYTICS_CLICKHOUSE_URL: %w", err))
	}
	if _, err := c.drillKey(); err != nil {
		errs = append(errs, err)
	}
	if c.NATSURL == "" {
		errs = append(errs, errors.New("ANALYTICS_NATS_URL: must not be empty"))
	}
	if c.ReportsKeep < 0 {
		errs = append(errs, errors.New("ANALYTICS_REPORTS_KEEP: must not be negative; 0 keeps nothing"))
	}
	if _, err := time.LoadLocation(c.TimeZone); err != nil {
		errs = append(errs, fmt.Errorf("ANALYTICS_TIME_ZONE: %w", err))
	}
	if c.ClickHousePasswordFile != "" {
		if _, err := os.Stat(c.ClickHousePasswordFile); err != nil {
			errs = append(errs, fmt.Errorf("ANALYTICS_CLICKHOUSE_PASSWORD_FILE: %w", err))
		}
	}
	return errors.Join(errs...)
}

// drillKey reads the key of tokens; nil without a file.
func (c *Config) drillKey() ([]byte, error) {
	if c.DrillKeyFile == "" {
		return nil, nil
	}
	key, err := os.ReadFile(c.DrillKeyFile)
	if err == nil && len(key) < report.KeyBytes {
		err = fmt.Errorf("must hold at least %d bytes", report.KeyBytes)
	}
	if err != nil {
		return nil, fmt.Errorf("ANALYTICS_DRILL_KEY_FILE: %w", err)
	}
	return key, nil
}

// exportDir is the folder for exported reports. Servers on one machine have different ports.
func (c *Config) exportDir() string {
	if c.ExportDir != "" {
		return c.ExportDir
	}
	_, port, err := net.SplitHostPort(c.GRPCAddr)
	if err != nil {
		port = "analytics"
	}
	return filepath.Join(os.TempDir(), "tandem-exports-"+port)
}

// WarehouseURL is the URL with the password from its file.
func (c *Config) WarehouseURL() (string, error) {
	if c.ClickHousePasswordFile == "" {
		return c.ClickHouseURL, nil
	}
	secret, err := os.ReadFile(c.ClickHousePasswordFile)
	if err != nil {
		return "", fmt.Errorf("ANALYTICS_CLICKHOUSE_PASSWORD_FILE: %w", err)
	}
	return warehouse.WithPassword(c.ClickHouseURL, strings.TrimSpace(string(secret)))
}
