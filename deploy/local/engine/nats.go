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

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"tandem.bank/deploy/local/process"
)

// NATSConfig describes the local NATS server.
type NATSConfig struct {
	Port       int      // 0: a free one
	DataDir    string   // JetStream's store and the log
	ConfigFile string   // deploy/nats/nats.conf
	Env        []string // what the configuration file asks of the environment
}

// NATS is a NATS server with JetStream in a child process.
type NATS struct {
	cfg   NATSConfig
	child *process.Process
}

// NewNATS prepares the engine; nothing runs before Start.
func NewNATS(cfg NATSConfig) *NATS { return &NATS{cfg: cfg} }

// Name is the word for the engine in messages.
func (*NATS) Name() string { return "NATS" }

// URL is the address clients use.
func (n *NATS) URL() string {
	return "nats://" + net.JoinHostPort(loopback, strconv.Itoa(n.cfg.Port))
}

// Process is the running child, or nil.
func (n *NATS) Process() *process.Process { return n.child }

// Start returns when JetStream answers.
func (n *NATS) Start(ctx context.Context) error {
	if err := ChoosePorts(ctx, Port{"NATS", "--nats-port", &n.cfg.Port}); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("NATS: find our own program: %w", err)
	}
	n.child, err = process.Start(process.Config{
		Name: "NATS", Path: self,
		Args:    []string{natsCommand, n.cfg.ConfigFile, strconv.Itoa(n.cfg.Port), filepath.Join(n.cfg.DataDir, "store")},
		Env:     childEnv(n.cfg.Env...),
		LogFile: filepath.Join(n.cfg.DataDir, "nats.log"),

		StopSignal: syscall.SIGTERM, DeathSignal: syscall.SIGTERM, StopTimeout: stopTimeout,
	})
	if err != nil {
		return err
	}
	if err := process.WaitReady(ctx, n.child, startTimeout, pingInterval, n.ping); err != nil {
		n.child = nil
		return err
	}
	return nil
}

func (n *NATS) ping(ctx context.Context) error { return PingNATS(ctx, n.URL()) }

// PingNATS asks a NATS server for its JetStream account, the way every client begins.
func PingNATS(ctx context.Context, address string) error {
	conn, err := nats.Connect(address, nats.Timeout(pingTimeout), nats.MaxReconnects(0))
	if err != nil {
		return err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	answer, err := conn.RequestWithContext(ctx, "$JS.API.INFO", nil)
	if err != nil {
		return fmt.Errorf("JetStream does not answer: %w", err)
	}
	if len(answer.Data) == 0 {
		return fmt.Errorf("JetStream is off at %s", redact(address))
	}
	return nil
}

// Stop ends the server cleanly.
func (n *NATS) Stop(ctx context.Context) error { return stopChild(ctx, &n.child) }

// Kill ends the server as kill -9 does.
func (n *NATS) Kill() { killChild(&n.child) }

// runNATS is the child: it serves until it is asked to stop or its parent is gone.
func runNATS(args []string, stop <-chan struct{}) error {
	if len(args) != 3 {
		return fmt.Errorf("%s: want CONFIG PORT STORE, got %d arguments", natsCommand, len(args))
	}
	options, err := server.ProcessConfigFile(args[0])
	if err != nil {
		return fmt.Errorf("read %s: %w", args[0], err)
	}
	port, err := strconv.Atoi(args[1])
	if err != nil {
		return fmt.Errorf("port %q is not a number", args[1])
	}
	options.Host, options.Port = loopback, port
	options.JetStream, options.StoreDir = true, args[2]
	options.NoSigs = true // ours also watch the parent

	srv, err := server.NewServer(options)
	if err != nil {
		return fmt.Errorf("configure NATS: %w", err)
	}
	srv.ConfigureLogger()
	srv.Start()
	<-stop
	srv.Shutdown()
	srv.WaitForShutdown()
	return nil
}

// redact hides the password of an address before it is shown.
func redact(address string) string {
	parsed, err := url.Parse(address)
	if err != nil {
		return "the given address"
	}
	return parsed.Redacted()
}
