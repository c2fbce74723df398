package main

import (
	"fmt"
	"io"
	"log/slog"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
)

// Globals are the flags of every command.
type Globals struct {
	CRMAddr       string     `name:"crm-addr" env:"TANDEM_CRM_ADDR" default:"127.0.0.1:7400" help:"Address of the operational service."`
	AnalyticsAddr string     `name:"analytics-addr" env:"TANDEM_ANALYTICS_ADDR" default:"127.0.0.1:7410" help:"Address of the analytical service."`
	LogLevel      slog.Level `name:"log-level" env:"TANDEM_LOG_LEVEL" default:"WARN" help:"DEBUG, INFO, WARN or ERROR; the log goes to stderr."`
	JSON          bool       `name:"json" help:"Print the answer as JSON, where the command supports it."`

	Identity `embed:"" group:"Identity"`
}

// App is what every command gets beside its own flags: where to print, and connections that open on first use.
type App struct {
	// Out takes the answer, Err messages and progress.
	Out, Err io.Writer
	Log      *slog.Logger
	// JSON asks for machine-readable answers.
	JSON bool

	globals Globals
	crm     *grpc.ClientConn
	ana     *grpc.ClientConn
}

func newApp(globals Globals, out, errs io.Writer) *App {
	handler := slog.NewTextHandler(errs, &slog.HandlerOptions{Level: globals.LogLevel})
	return &App{Out: out, Err: errs, Log: slog.New(handler), JSON: globals.JSON, globals: globals}
}

// CRM returns the connection to the operational service.
func (a *App) CRM() (*grpc.ClientConn, error) {
	if a.crm == nil {
		conn, err := a.dial(a.globals.CRMAddr)
		if err != nil {
			return nil, fmt.Errorf("--crm-addr %q: %w", a.globals.CRMAddr, err)
		}
		a.crm = conn
	}
	return a.crm, nil
}

// Analytics returns the connection to the analytical service.
func (a *App) Analytics() (*grpc.ClientConn, error) {
	if a.ana == nil {
		conn, err := a.dial(a.globals.AnalyticsAddr)
		if err != nil {
			return nil, fmt.Errorf("--analytics-addr %q: %w", a.globals.AnalyticsAddr, err)
		}
		a.ana = conn
	}
	return a.ana, nil
}

// Close closes what was opened.
func (a *App) Close() {
	for _, conn := range []*grpc.ClientConn{a.ana, a.crm} {
		if conn == nil {
			continue
		}
		if err := conn.Close(); err != nil {
			a.Log.Debug("close connection", "target", conn.Target(), "error", err)
		}
	}
}

// dial does not connect yet; the first call does. Reconnecting is quick, so that a restarted service is found soon.
func (a *App) dial(addr string) (*grpc.ClientConn, error) {
	options, err := a.globals.dialOptions(addr)
	if err != nil {
		return nil, err
	}
	return grpc.NewClient(addr, append(options,
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 2 * time.Second},
			MinConnectTimeout: 5 * time.Second,
		}),
		// 16 MiB: a page of 10 000 RFM scores or of customers with long texts is below it.
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(16<<20)),
	)...)
}
