// Package app wires crm together; nothing is decided here.
package app

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // the zone of the bank must be known on a machine without a zone database

	"github.com/shopspring/decimal"
	"golang.org/x/text/language"

	"tandem.bank/pkg/auth"
	"tandem.bank/pkg/money"
	"tandem.bank/services/crm/internal/access"
)

// Config is everything that crm can be told. Secrets come from files.
type Config struct {
	GRPCAddr             string        `name:"grpc-addr" env:"CRM_GRPC_ADDR" default:"127.0.0.1:7400" help:"Address of the gRPC API."`
	HTTPAddr             string        `name:"http-addr" env:"CRM_HTTP_ADDR" default:"127.0.0.1:7401" help:"Address of /healthz and /metrics."`
	PostgresURL          string        `name:"postgres-url" env:"CRM_POSTGRES_URL" default:"postgres://postgres@127.0.0.1:7432/tandem?sslmode=disable" help:"URL of the database, without the password."`
	PostgresPasswordFile string        `name:"postgres-password-file" env:"CRM_POSTGRES_PASSWORD_FILE" help:"File that holds the database password."`
	PostgresConnsMax     int32         `name:"postgres-conns-max" env:"CRM_POSTGRES_CONNS_MAX" default:"32" help:"Most connections to the database."`
	NATSURL              string        `name:"nats-url" env:"CRM_NATS_URL" default:"nats://127.0.0.1:7422" help:"URL of NATS."`
	NATSReplicas         int           `name:"nats-replicas" env:"CRM_NATS_REPLICAS" default:"0" help:"Servers of a NATS cluster that keep each message: 1, 3 or 5; 0 leaves streams as they are, new ones on one server."`
	BaseCurrency         string        `name:"base-currency" env:"CRM_BASE_CURRENCY" default:"CZK" help:"ISO 4217 currency that the bank's books are kept in; fixed with the first start."`
	TimeZone             string        `name:"time-zone" env:"CRM_TIME_ZONE" default:"Europe/Prague" help:"IANA zone of the bank's calendar; fixed with the first start."`
	Country              string        `name:"country" env:"CRM_COUNTRY" default:"CZ" help:"ISO 3166 code of the bank's country: phones without a country code are of there."`
	BalanceMarks         []string      `name:"balance-marks" env:"CRM_BALANCE_MARKS" default:"0" help:"Balances whose passing the timeline tells, separated by commas: 0 in every currency, the others in the base currency. Accounts that pass them from the next start on are told."`
	OutboxRetention      time.Duration `name:"outbox-retention" env:"CRM_OUTBOX_RETENTION" default:"168h" help:"How long published events stay in the outbox for a replay."`
	BehaviourWindow      time.Duration `name:"behaviour-window" env:"CRM_BEHAVIOUR_WINDOW" default:"0s" help:"How long behaviour events stay in Postgres, in whole months; 0s keeps them for ever."`
	TransactionsWindow   int           `name:"transactions-window" env:"CRM_TRANSACTIONS_WINDOW" default:"0" help:"Months of transactions kept before the current one; 0 keeps all. Older months are dropped once their events are published; load history first."`
	RelaySlot            string        `name:"relay-slot" env:"CRM_RELAY_SLOT" default:"tandem_relay" help:"Replication slot of the relay; two databases of one Postgres need two names."`
	PolicyFile           string        `name:"policy-file" env:"CRM_POLICY_FILE" help:"File that says who may do what; default is the policy that is built in."`
	LogLevel             string        `name:"log-level" env:"CRM_LOG_LEVEL" default:"info" enum:"debug,info,warn,error" help:"Least severe log line: debug, info, warn, error."`

	AnalyticsAddress  string `name:"analytics-address" env:"CRM_ANALYTICS_ADDRESS" default:"127.0.0.1:7410" help:"Address of analytics, which compiles what analysts define; the callers' tokens travel there."`
	AnalyticsTLS      bool   `name:"analytics-tls" env:"CRM_ANALYTICS_TLS" help:"Call analytics through TLS; any of the following files means it too."`
	AnalyticsCAFile   string `name:"analytics-tls-ca-file" env:"CRM_ANALYTICS_TLS_CA_FILE" help:"File of the authorities (PEM) of the certificate of analytics; default is the system's."`
	AnalyticsCertFile string `name:"analytics-tls-cert-file" env:"CRM_ANALYTICS_TLS_CERT_FILE" help:"File of the certificate to show to analytics (PEM)."`
	AnalyticsKeyFile  string `name:"analytics-tls-key-file" env:"CRM_ANALYTICS_TLS_KEY_FILE" help:"File of its private key (PEM)."`

	// Auth says whom to believe.
	AnalyticsSigningKeyFile string `name:"analytics-signing-key-file" env:"CRM_ANALYTICS_SIGNING_KEY_FILE" help:"File of a private key (PEM) by which crm asks analytics in the name of service accounts, which analytics does not know; its public half stands in ANALYTICS_AUTH_KEYS_FILE. Empty: service accounts can't save definitions."`
	AnalyticsSigningIssuer  string `name:"analytics-signing-issuer" env:"CRM_ANALYTICS_SIGNING_ISSUER" default:"tandem-local" help:"Issuer of these tokens, that of ANALYTICS_AUTH_KEYS_ISSUER."`

	Auth auth.Settings `embed:"" envprefix:"CRM_"`
}

// HealthAddr is where the service answers /healthz.
func (c *Config) HealthAddr() string { return c.HTTPAddr }

// Check names every setting that can't work.
func (c *Config) Check() error {
	_, err := c.analyticsTransport()
	if err != nil {
		err = fmt.Errorf("CRM_ANALYTICS_TLS_CA_FILE, _CERT_FILE, _KEY_FILE: %w", err)
	}
	if _, wrong := c.delegate(); wrong != nil {
		err = errors.Join(err, fmt.Errorf("CRM_ANALYTICS_SIGNING_KEY_FILE: %w", wrong))
	}
	return errors.Join(c.checkEngines(), err, c.Auth.Validate("CRM_"))
}

// checkEngines does so for what the service works with; a migration needs no more.
func (c *Config) checkEngines() error {
	var errs []error
	if err := money.CheckCurrency(c.BaseCurrency); err != nil {
		errs = append(errs, fmt.Errorf("CRM_BASE_CURRENCY: %w", err))
	}
	if _, err := time.LoadLocation(c.TimeZone); err != nil {
		errs = append(errs, fmt.Errorf("CRM_TIME_ZONE: %w", err))
	}
	if region, err := language.ParseRegion(c.Country); err != nil || region.String() != c.Country || !region.IsCountry() {
		errs = append(errs, errors.New("CRM_COUNTRY: must be a country of ISO 3166 such as CZ"))
	}
	if !slices.Contains([]int{0, 1, 3, 5}, c.NATSReplicas) {
		errs = append(errs, errors.New("CRM_NATS_REPLICAS: must be 0, 1, 3 or 5"))
	}
	if u, err := url.Parse(c.PostgresURL); err != nil || u.Host == "" {
		errs = append(errs, errors.New("CRM_POSTGRES_URL: must be a URL such as postgres://user@host:5432/database"))
	}
	if c.PostgresConnsMax < 4 {
		errs = append(errs, errors.New("CRM_POSTGRES_CONNS_MAX: must be at least 4"))
	}
	if _, err := access.Load(c.PolicyFile); err != nil {
		errs = append(errs, fmt.Errorf("CRM_POLICY_FILE: %w", err))
	}
	return errors.Join(append(errs, c.checkWindows())...)
}

// checkWindows does so for how much is kept, and for how long.
func (c *Config) checkWindows() error {
	var errs []error
	if _, err := c.marks(); err != nil {
		errs = append(errs, fmt.Errorf("CRM_BALANCE_MARKS: %w", err))
	}
	if c.BehaviourWindow != 0 && c.BehaviourWindow < 31*24*time.Hour {
		errs = append(errs, errors.New("CRM_BEHAVIOUR_WINDOW: must be 0s or at least 744h, a month"))
	}
	if c.OutboxRetention < 24*time.Hour {
		errs = append(errs, errors.New("CRM_OUTBOX_RETENTION: must be at least 24h"))
	}
	if c.TransactionsWindow < 0 {
		errs = append(errs, errors.New("CRM_TRANSACTIONS_WINDOW: must not be negative"))
	}
	return errors.Join(errs...)
}

// balanceMarksMax bounds the marks: each is compared with each balance that moves.
const balanceMarksMax = 20

// marks are the balances whose passing is told, in order.
func (c *Config) marks() ([]decimal.Decimal, error) {
	if len(c.BalanceMarks) > balanceMarksMax {
		return nil, fmt.Errorf("must be at most %d numbers", balanceMarksMax)
	}
	out := make([]decimal.Decimal, 0, len(c.BalanceMarks))
	for _, text := range c.BalanceMarks {
		mark, err := decimal.NewFromString(strings.TrimSpace(text))
		switch {
		case err != nil || strings.ContainsAny(text, "eE"):
			return nil, fmt.Errorf("%q is not a number such as 100000 or -500.50", text)
		case mark.Exponent() < -balancePlaces || mark.Abs().GreaterThanOrEqual(balanceLimit):
			return nil, fmt.Errorf("%s has more than %d decimal places or is too large for a balance", text, balancePlaces)
		case slices.ContainsFunc(out, mark.Equal):
			return nil, fmt.Errorf("%s stands there twice", text)
		}
		out = append(out, mark)
	}
	slices.SortFunc(out, decimal.Decimal.Cmp)
	return out, nil
}

// balancePlaces are the decimal places of balances, and balanceLimit what they stay below: numeric(24, 4).
const balancePlaces = 4

var balanceLimit = decimal.New(1, 20)

// DatabaseURL is the URL with the password from its file.
func (c *Config) DatabaseURL() (string, error) {
	if c.PostgresPasswordFile == "" {
		return c.PostgresURL, nil
	}
	secret, err := os.ReadFile(c.PostgresPasswordFile)
	if err != nil {
		return "", fmt.Errorf("CRM_POSTGRES_PASSWORD_FILE: %w", err)
	}
	u, err := url.Parse(c.PostgresURL)
	if err != nil {
		return "", fmt.Errorf("CRM_POSTGRES_URL: %w", err)
	}
	u.User = url.UserPassword(u.User.Username(), strings.TrimSpace(string(secret)))
	return u.String(), nil
}
