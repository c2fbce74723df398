// Package program is the command line that every service has: serve, migrate, check-config and health.
package program

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"tandem.bank/pkg/settings"
	"tandem.bank/pkg/telemetry"
)

// Config is a service's configuration: a struct with kong's tags, each field with the name of its environment variable.
type Config interface {
	// Check names every setting that can't work. It is not called Validate: kong would call it before every command, also
	// before those that list and show the settings.
	Check() error
	// HealthAddr is where the service answers /healthz.
	HealthAddr() string
}

// Service is what a program runs, by its configuration.
type Service[C any] struct {
	// Name of the program.
	Name string
	// Description for its help.
	Description string
	// Serve runs the service until the context ends; with migrate, it brings its database to the newest schema first.
	Serve func(ctx context.Context, config *C, migrate bool) error
	// Migrate brings the database to the newest schema.
	Migrate func(ctx context.Context, config *C) error
}

type commands[C any] struct {
	Serve       serve[C]       `cmd:"" help:"Run the service."`
	Migrate     migrate[C]     `cmd:"" help:"Bring the database to the newest schema and end."`
	CheckConfig checkConfig[C] `cmd:"" help:"Check the configuration and show it, with secrets hidden."`
	Health      health[C]      `cmd:"" help:"Ask a running service for its health; for container health checks."`
}

type serve[C any] struct {
	Config  C    `embed:""`
	Migrate bool `help:"Migrate the database first."`
}

type migrate[C any] struct {
	Config C `embed:""`
}

type checkConfig[C any] struct {
	Config C    `embed:""`
	Names  bool `help:"Only list the names of the environment variables, one a line."`
}

type health[C any] struct {
	Config C `embed:""`
}

// Main runs the command that the arguments name, until it is done or a signal ends it, and ends the process.
func Main[C any, P interface {
	*C
	Config
}](s Service[C]) {
	os.Exit(run[C, P](s))
}

func run[C any, P interface {
	*C
	Config
}](s Service[C]) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var all commands[C]
	parsed := kong.Parse(&all, kong.Name(s.Name), kong.Description(s.Description), kong.UsageOnError())
	var err error
	switch parsed.Command() {
	case "serve":
		err = withHeadroom(func() error { return s.Serve(ctx, &all.Serve.Config, all.Serve.Migrate) })
	case "migrate":
		err = s.Migrate(ctx, &all.Migrate.Config)
	case "check-config":
		err = show(P(&all.CheckConfig.Config), all.CheckConfig.Names)
	case "health":
		err = telemetry.Probe(ctx, P(&all.Health.Config).HealthAddr())
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", s.Name, err)
		return 1
	}
	return 0
}

func show(config Config, names bool) error {
	if names {
		settings.Names(os.Stdout, config)
		return nil
	}
	settings.Show(os.Stdout, config)
	return config.Check()
}
