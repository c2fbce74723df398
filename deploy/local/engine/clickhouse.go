package engine

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/ClickHouse/clickhouse-go/v2"

	"tandem.bank/deploy/local/process"
)

// ClickHouseConfig describes the local ClickHouse server.
type ClickHouseConfig struct {
	Port      int    // native protocol; 0: a free one
	HTTPPort  int    // 0: a free one
	DataDir   string // tables, generated configuration and the log
	ConfigDir string // deploy/clickhouse, with config.d and users.d
	Packages  Packages
	Password  string // of the user tandem
	// BIPassword is that of the user bi.
	BIPassword string

	ClusterDir string // deploy/cluster/clickhouse, for a server of a cluster
}

// ClickHouse is a ClickHouse server in a child process.
type ClickHouse struct {
	cfg    ClickHouseConfig
	shards *shards // nil: a server alone
	child  *process.Process
}

// NewClickHouse prepares the engine; nothing runs before Start.
func NewClickHouse(cfg ClickHouseConfig) *ClickHouse { return &ClickHouse{cfg: cfg} }

// Name is the word for the engine in messages.
func (*ClickHouse) Name() string { return "ClickHouse" }

// URL is the native address of the user default, who needs no password on this machine.
func (c *ClickHouse) URL() string { return c.address("clickhouse", c.cfg.Port, "default") }

// ServiceURL is the native address of the services' user and database, without the password.
func (c *ClickHouse) ServiceURL() string {
	return c.InCluster(c.address("clickhouse", c.cfg.Port, "tandem") + "/tandem")
}

// InCluster adds to an address of this server the cluster that it belongs to, as pkg/clickhousex reads it.
func (c *ClickHouse) InCluster(address string) string {
	if c.shards == nil {
		return address
	}
	return address + "?cluster=" + ClusterName
}

// HTTPURL is the address for tools that speak HTTP.
func (c *ClickHouse) HTTPURL() string { return c.address("http", c.cfg.HTTPPort, "") }

func (c *ClickHouse) address(scheme string, port int, user string) string {
	address := url.URL{Scheme: scheme, Host: net.JoinHostPort(loopback, strconv.Itoa(port))}
	if user != "" {
		address.User = url.User(user)
	}
	return address.String()
}

// Process is the running child, or nil.
func (c *ClickHouse) Process() *process.Process { return c.child }

// Start returns when the server takes queries on its native port.
func (c *ClickHouse) Start(ctx context.Context) error {
	if err := c.choosePorts(ctx); err != nil {
		return err
	}
	library, err := c.cfg.Packages.clickhouse()
	if err != nil {
		return err
	}
	config, err := writeClickHouseConfig(filepath.Join(c.cfg.DataDir, "etc"), c.cfg.ConfigDir)
	if err != nil {
		return err
	}
	if c.shards != nil {
		if err := c.shards.writeConfig(filepath.Dir(config), c.cfg.ClusterDir); err != nil {
			return err
		}
	}
	data := filepath.Join(c.cfg.DataDir, "data")
	if err := os.MkdirAll(data, 0o750); err != nil {
		return fmt.Errorf("create the ClickHouse data folder: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("ClickHouse: find our own program: %w", err)
	}
	c.child, err = process.Start(process.Config{
		Name: "ClickHouse", Path: self,
		Args: []string{clickhouseCommand, library, config, data, strconv.Itoa(c.cfg.Port), strconv.Itoa(c.cfg.HTTPPort)},
		Env:  childEnv("TANDEM_CLICKHOUSE_PASSWORD="+c.cfg.Password, "TANDEM_CLICKHOUSE_BI_PASSWORD="+c.cfg.BIPassword),
		// The server leaves small files in its working folder.
		Dir:     c.cfg.DataDir,
		LogFile: filepath.Join(c.cfg.DataDir, "clickhouse.log"),

		StopSignal: syscall.SIGTERM, DeathSignal: syscall.SIGTERM, StopTimeout: stopTimeout,
	})
	if err != nil {
		return err
	}
	if err := process.WaitReady(ctx, c.child, startTimeout, pingInterval, c.ping); err != nil {
		c.child = nil
		return err
	}
	return nil
}

func (c *ClickHouse) ports() []Port {
	return []Port{
		{"ClickHouse", "--clickhouse-port", &c.cfg.Port},
		{"ClickHouse HTTP", "--clickhouse-http-port", &c.cfg.HTTPPort},
	}
}

func (c *ClickHouse) choosePorts(ctx context.Context) error {
	if c.shards != nil {
		return c.shards.choosePorts(ctx)
	}
	return ChoosePorts(ctx, c.ports()...)
}

func (c *ClickHouse) ping(ctx context.Context) error { return PingClickHouse(ctx, c.URL()) }

// PingClickHouse opens a native connection to a ClickHouse server and pings it.
func PingClickHouse(ctx context.Context, address string) error {
	options, err := clickhouse.ParseDSN(address)
	if err != nil {
		return err
	}
	options.DialTimeout, options.ReadTimeout = pingTimeout, pingTimeout
	conn, err := clickhouse.Open(options)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	return conn.Ping(ctx)
}

// Stop ends the server cleanly.
func (c *ClickHouse) Stop(ctx context.Context) error { return stopChild(ctx, &c.child) }

// Kill ends the server as kill -9 does.
func (c *ClickHouse) Kill() { killChild(&c.child) }
