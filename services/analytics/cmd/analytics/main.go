// Command analytics is the analytical half of Tandem: it follows the changes of the operational half into ClickHouse,
// computes, and sends results home.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"tandem.bank/pkg/settings"
	"tandem.bank/pkg/telemetry"
	"tandem.bank/services/analytics/internal/app"
)

type cli struct {
	Serve       serveCmd       `cmd:"" help:"Run the service."`
	Migrate     migrateCmd     `cmd:"" help:"Bring the warehouse to the newest schema and end."`
	CheckConfig checkConfigCmd `cmd:"" help:"Check the configuration and show it, with secrets hidden."`
	Health      healthCmd      `cmd:"" help:"Ask a running service for its health; for container health checks."`
}

type serveCmd struct {
	app.Config
	Migrate bool `help:"Migrate the warehouse first."`
}

// Run serves until the context ends.
func (c *serveCmd) Run(ctx context.Context) error {
	return app.Serve(ctx, &c.Config, c.Migrate)
}

type migrateCmd struct{ app.Config }

// Run migrates.
func (c *migrateCmd) Run(ctx context.Context) error {
	return app.Migrate(ctx, &c.Config)
}

type checkConfigCmd struct {
	app.Config
	Names bool `help:"Only list the names of the environment variables, one a line."`
}

// Run shows the configuration.
func (c *checkConfigCmd) Run() error {
	if c.Names {
		settings.Names(os.Stdout, c.Config)
		return nil
	}
	settings.Show(os.Stdout, c.Config)
	return c.Validate()
}

type healthCmd struct {
	HTTPAddr string `name:"http-addr" env:"ANALYTICS_HTTP_ADDR" default:"127.0.0.1:7411" help:"Address of /healthz."`
}

// Run probes /healthz.
func (c *healthCmd) Run(ctx context.Context) error {
	return telemetry.Probe(ctx, c.HTTPAddr)
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	command := kong.Parse(&cli{}, kong.Name("analytics"), kong.Description("The analytical half of Tandem."),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.UsageOnError())
	if err := command.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "analytics:", err)
		stop()
		os.Exit(1)
	}
}
