package stack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"tandem.bank/deploy/local/engine"
	"tandem.bank/deploy/local/process"
	"tandem.bank/pkg/auth"
)

// Config describes the whole stack on one machine.
type Config struct {
	Engines EnginesConfig

	CRMProgram       string
	AnalyticsProgram string

	CRMPort           int // gRPC; a port of 0 becomes a free one
	CRMHTTPPort       int // health and metrics
	AnalyticsPort     int
	AnalyticsHTTPPort int

	BaseCurrency string // ISO 4217
	TimeZone     string // of the bank, by its IANA name

	// SecretsDir holds the key pair by which callers prove who they are; it is made when it is not there. Empty means the
	// folder secrets in the data folder.
	SecretsDir string
}

// Validate names the first wrong field.
func (c Config) Validate() error {
	switch {
	case c.CRMProgram == "":
		return errors.New("stack: program of crm is empty")
	case c.AnalyticsProgram == "":
		return errors.New("stack: program of analytics is empty")
	case c.BaseCurrency == "":
		return errors.New("stack: base currency is empty")
	case c.TimeZone == "":
		return errors.New("stack: time zone is empty")
	}
	return c.Engines.Validate()
}

// Stack is the engines with the services on top.
type Stack struct {
	Engines   *Engines
	CRM       *Service
	Analytics *Service

	cfg Config
	// Files of keys: the private keys of people and of crm, and those that each service believes.
	signingKey, delegateKey string
	crmKeys, analyticsKeys  string
	started                 []*Service
}

// loopback is the only address the local services listen on.
const loopback = "127.0.0.1"

// New prepares the stack; nothing runs before Start.
func New(cfg Config) (*Stack, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	engines, err := NewEngines(cfg.Engines)
	if err != nil {
		return nil, err
	}
	if cfg.SecretsDir == "" {
		cfg.SecretsDir = filepath.Join(cfg.Engines.DataDir, "secrets")
	}
	return &Stack{Engines: engines, cfg: cfg}, nil
}

// Start returns when everything is healthy. When a part fails, those before it are stopped.
func (s *Stack) Start(ctx context.Context) error {
	var err error
	if s.signingKey, s.crmKeys, err = auth.EnsureKeyPair(s.cfg.SecretsDir); err != nil {
		return err
	}
	if s.delegateKey, s.analyticsKeys, err = auth.EnsureDelegation(s.cfg.SecretsDir); err != nil {
		return err
	}
	if err := s.Engines.Start(ctx); err != nil {
		return err
	}
	if err := s.choosePorts(ctx); err != nil {
		return errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
	}
	// Only now all addresses are known.
	s.CRM, s.Analytics = s.services()
	for _, service := range []*Service{s.CRM, s.Analytics} {
		if err := service.Start(ctx); err != nil {
			return errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
		}
		s.started = append(s.started, service)
	}
	return nil
}

// choosePorts checks the services' ports and replaces 0 by a free one.
func (s *Stack) choosePorts(ctx context.Context) error {
	return engine.ChoosePorts(ctx,
		engine.Port{Name: "crm", Flag: "--crm-port", Number: &s.cfg.CRMPort},
		engine.Port{Name: "crm HTTP", Flag: "--crm-http-port", Number: &s.cfg.CRMHTTPPort},
		engine.Port{Name: "analytics", Flag: "--analytics-port", Number: &s.cfg.AnalyticsPort},
		engine.Port{Name: "analytics HTTP", Flag: "--analytics-http-port", Number: &s.cfg.AnalyticsHTTPPort},
	)
}

// services describes both services with the addresses of this stack.
func (s *Stack) services() (crm, analytics *Service) {
	crm = &Service{
		Name: "crm", Program: s.cfg.CRMProgram, DataDir: filepath.Join(s.cfg.Engines.DataDir, "crm"),
		Health: "http://" + address(s.cfg.CRMHTTPPort) + "/healthz",
		Env: serviceEnv(
			"CRM_GRPC_ADDR="+address(s.cfg.CRMPort),
			"CRM_HTTP_ADDR="+address(s.cfg.CRMHTTPPort),
			"CRM_POSTGRES_URL="+s.Engines.PostgresServiceURL(),
			"CRM_NATS_URL="+s.Engines.NATS.URL(),
			"CRM_ANALYTICS_ADDRESS="+address(s.cfg.AnalyticsPort),
			"CRM_BASE_CURRENCY="+s.cfg.BaseCurrency,
			"CRM_TIME_ZONE="+s.cfg.TimeZone,
			"CRM_AUTH_KEYS_FILE="+s.crmKeys,
			"CRM_ANALYTICS_SIGNING_KEY_FILE="+s.delegateKey,
		),
	}
	analyticsData := filepath.Join(s.cfg.Engines.DataDir, "analytics")
	analyticsEnv := []string{
		"ANALYTICS_GRPC_ADDR=" + address(s.cfg.AnalyticsPort),
		"ANALYTICS_HTTP_ADDR=" + address(s.cfg.AnalyticsHTTPPort),
		"ANALYTICS_CLICKHOUSE_URL=" + s.Engines.ClickHouseServiceURL(),
		"ANALYTICS_NATS_URL=" + s.Engines.NATS.URL(),
		"ANALYTICS_TIME_ZONE=" + s.cfg.TimeZone,
		"ANALYTICS_AUTH_KEYS_FILE=" + s.analyticsKeys,
		"ANALYTICS_EXPORT_DIR=" + filepath.Join(analyticsData, "exports"),
	}
	if s.Engines.passwordFile != "" {
		analyticsEnv = append(analyticsEnv, "ANALYTICS_CLICKHOUSE_PASSWORD_FILE="+s.Engines.passwordFile)
	}
	analytics = &Service{
		Name: "analytics", Program: s.cfg.AnalyticsProgram, DataDir: analyticsData,
		Health: "http://" + address(s.cfg.AnalyticsHTTPPort) + "/healthz",
		Env:    serviceEnv(analyticsEnv...),
	}
	return crm, analytics
}

// serviceEnv is our own environment with the given values on top: a log level or a password file for a given
// engine comes through from the user's shell.
func serviceEnv(values ...string) []string {
	return append(os.Environ(), values...)
}

// Stop stops the services and then the engines, each in reverse.
func (s *Stack) Stop(ctx context.Context) error {
	var failures []error
	for _, service := range slices.Backward(s.started) {
		failures = append(failures, service.Stop(ctx))
	}
	s.started = nil
	return errors.Join(append(failures, s.Engines.Stop(ctx))...)
}

// Processes are all running children.
func (s *Stack) Processes() []*process.Process {
	running := s.Engines.Processes()
	for _, service := range s.started {
		if p := service.Process(); p != nil {
			running = append(running, p)
		}
	}
	return running
}

// Addresses are the environment of whoever works with the stack.
func (s *Stack) Addresses() []string {
	return []string{
		"TANDEM_CRM_ADDR=" + address(s.cfg.CRMPort),
		"TANDEM_ANALYTICS_ADDR=" + address(s.cfg.AnalyticsPort),
		"TANDEM_ANALYTICS_HTTP_URL=http://" + address(s.cfg.AnalyticsHTTPPort),
		"TANDEM_KEY_FILE=" + s.signingKey,
		"TANDEM_POSTGRES_URL=" + s.Engines.Postgres.URL(),
		"TANDEM_NATS_URL=" + s.Engines.NATS.URL(),
		"TANDEM_CLICKHOUSE_URL=" + s.Engines.ClickHouse.URL(),
		"TANDEM_CLICKHOUSE_HTTP_URL=" + s.Engines.ClickHouseHTTPURL(),
	}
}

// Table shows the addresses to a person; passwords of given addresses are hidden.
func (s *Stack) Table() string {
	var table strings.Builder
	for _, row := range [][2]string{
		{"crm", "gRPC " + address(s.cfg.CRMPort) + "   health and metrics http://" + address(s.cfg.CRMHTTPPort)},
		{"analytics", "gRPC " + address(s.cfg.AnalyticsPort) + "   health and metrics http://" + address(s.cfg.AnalyticsHTTPPort)},
		{"Postgres", redacted(s.Engines.Postgres.URL())},
		{"NATS", redacted(s.Engines.NATS.URL())},
		{"ClickHouse", redacted(s.Engines.ClickHouse.URL()) + "   " + redacted(s.Engines.ClickHouseHTTPURL())},
		{"data", s.cfg.Engines.DataDir},
		{"signing key", s.signingKey},
	} {
		fmt.Fprintf(&table, "  %-11s %s\n", row[0], row[1])
	}
	return table.String()
}

func address(port int) string { return net.JoinHostPort(loopback, strconv.Itoa(port)) }

func redacted(text string) string {
	parsed, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return parsed.Redacted()
}
