// Package stack puts the local stack together: the three engines, then the two services.
package stack

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"tandem.bank/deploy/local/engine"
	"tandem.bank/deploy/local/process"
)

// EnginesConfig describes the engines of one stack. A given address wins: that engine is not started.
type EnginesConfig struct {
	Root    string // of the project
	DataDir string

	PostgresPort       int // a port of 0 becomes a free one
	NATSPort           int
	ClickHousePort     int
	ClickHouseHTTPPort int

	PostgresURL       string
	NATSURL           string
	ClickHouseURL     string
	ClickHouseHTTPURL string // shown and handed on only

	ClickHouseConfigDir string // instead of deploy/clickhouse in the project

	Throwaway bool // tests: Postgres does not wait for the disk

	ClickHouseShards int // servers of ClickHouse that share the rows; up to 1: one server alone
}

// Validate names the first wrong field.
func (c EnginesConfig) Validate() error {
	if c.Root == "" {
		return errors.New("engines: project root is empty")
	}
	if c.DataDir == "" {
		return errors.New("engines: data folder is empty")
	}
	return nil
}

// Engines are the three engines of one stack.
type Engines struct {
	Postgres   engine.Engine
	NATS       engine.Engine
	ClickHouse engine.Engine

	// shards are the other servers of a ClickHouse cluster.
	shards []engine.Engine

	cfg          EnginesConfig
	passwordFile string // of ClickHouse's user tandem; empty for a given ClickHouse
	started      []engine.Engine
}

// NewEngines prepares the engines; nothing runs before Start.
func NewEngines(cfg EnginesConfig) (*Engines, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	packages := engine.Packages{Dir: filepath.Join(cfg.Root, "deploy", "local", "engines")}
	e := &Engines{cfg: cfg}

	e.Postgres = engine.NewPostgres(engine.PostgresConfig{
		Port: cfg.PostgresPort, DataDir: filepath.Join(cfg.DataDir, "postgres"),
		ConfigFile: filepath.Join(cfg.Root, "deploy", "postgres", "postgresql.conf"),
		Packages:   packages, Throwaway: cfg.Throwaway,
	})
	if cfg.PostgresURL != "" {
		e.Postgres = engine.NewExisting("Postgres", cfg.PostgresURL, engine.PingPostgres)
	}

	e.NATS = engine.NewNATS(engine.NATSConfig{
		Port: cfg.NATSPort, DataDir: filepath.Join(cfg.DataDir, "nats"),
		ConfigFile: filepath.Join(cfg.Root, "deploy", "nats", "nats.conf"),
	})
	if cfg.NATSURL != "" {
		e.NATS = engine.NewExisting("NATS", cfg.NATSURL, engine.PingNATS)
	}

	if cfg.ClickHouseURL != "" {
		e.ClickHouse = engine.NewExisting("ClickHouse", cfg.ClickHouseURL, engine.PingClickHouse)
		return e, nil
	}
	e.passwordFile = filepath.Join(cfg.DataDir, "secrets", "clickhouse_password")
	password, err := secret(e.passwordFile)
	if err != nil {
		return nil, err
	}
	biPassword, err := secret(e.BIPasswordFile())
	if err != nil {
		return nil, err
	}
	clickhouse := engine.ClickHouseConfig{
		Port: cfg.ClickHousePort, HTTPPort: cfg.ClickHouseHTTPPort,
		DataDir:   filepath.Join(cfg.DataDir, "clickhouse"),
		ConfigDir: cmp.Or(cfg.ClickHouseConfigDir, filepath.Join(cfg.Root, "deploy", "clickhouse")),
		Packages:  packages, Password: password, BIPassword: biPassword,
	}
	if cfg.ClickHouseShards <= 1 {
		e.ClickHouse = engine.NewClickHouse(clickhouse)
		return e, nil
	}
	servers := engine.NewClickHouseShards(clickhouse, filepath.Join(cfg.Root, "deploy", "cluster", "clickhouse"), cfg.ClickHouseShards)
	e.ClickHouse = servers[0]
	for _, other := range servers[1:] {
		e.shards = append(e.shards, other)
	}
	return e, nil
}

// Start starts the engines one after the other. When one fails, those before it are stopped.
func (e *Engines) Start(ctx context.Context) error {
	for _, one := range append([]engine.Engine{e.Postgres, e.NATS, e.ClickHouse}, e.shards...) {
		if err := one.Start(ctx); err != nil {
			return errors.Join(err, e.Stop(context.WithoutCancel(ctx)))
		}
		e.started = append(e.started, one)
	}
	return nil
}

// Stop stops the engines in reverse.
func (e *Engines) Stop(ctx context.Context) error {
	var failures []error
	for _, one := range slices.Backward(e.started) {
		failures = append(failures, one.Stop(ctx))
	}
	e.started = nil
	return errors.Join(failures...)
}

// Processes are the running children; given engines have none.
func (e *Engines) Processes() []*process.Process {
	var running []*process.Process
	for _, one := range e.started {
		if p := one.Process(); p != nil {
			running = append(running, p)
		}
	}
	return running
}

// ClickHouseHTTPURL is the address for tools that speak HTTP; empty when a given ClickHouse came without one.
func (e *Engines) ClickHouseHTTPURL() string {
	if own, ok := e.ClickHouse.(*engine.ClickHouse); ok {
		return own.HTTPURL()
	}
	return e.cfg.ClickHouseHTTPURL
}

// PostgresServiceURL is the address for crm: the role that owns its database, and no superuser.
func (e *Engines) PostgresServiceURL() string {
	if own, ok := e.Postgres.(*engine.Postgres); ok {
		return own.ServiceURL()
	}
	return e.Postgres.URL()
}

// ClickHouseServiceURL is the native address for analytics: the user tandem, whose password is in a file.
func (e *Engines) ClickHouseServiceURL() string {
	if own, ok := e.ClickHouse.(*engine.ClickHouse); ok {
		return own.ServiceURL()
	}
	return e.ClickHouse.URL()
}

func (e *Engines) clickhouseTestURL() string {
	if own, ok := e.ClickHouse.(*engine.ClickHouse); ok {
		return own.InCluster(own.URL())
	}
	return e.ClickHouse.URL()
}

// BIPasswordFile holds the password of the analysts' user bi in our own ClickHouse.
func (e *Engines) BIPasswordFile() string {
	return filepath.Join(e.cfg.DataDir, "secrets", "clickhouse_bi_password")
}

// TestEnv is what pkg/testkit reads.
func (e *Engines) TestEnv() []string {
	return []string{
		"TANDEM_TEST_POSTGRES_URL=" + e.Postgres.URL(),
		"TANDEM_TEST_NATS_URL=" + e.NATS.URL(),
		"TANDEM_TEST_CLICKHOUSE_URL=" + e.clickhouseTestURL(),
	}
}

// secret reads a password from its file, and makes one at the first time.
func secret(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err == nil {
		return strings.TrimSpace(string(text)), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read the secret %s: %w", file, err)
	}
	random := make([]byte, 18)
	if _, err := rand.Read(random); err != nil {
		return "", fmt.Errorf("make a secret: %w", err)
	}
	password := hex.EncodeToString(random)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return "", fmt.Errorf("create the folder of secrets: %w", err)
	}
	if err := os.WriteFile(file, []byte(password+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("write the secret %s: %w", file, err)
	}
	return password, nil
}
