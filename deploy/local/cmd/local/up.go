package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"tandem.bank/deploy/local/stack"
)

// upCommand runs the whole stack.
type upCommand struct {
	options

	CRMBin       string `help:"Program of crm (default: bin/crm in the project)." name:"crm-bin" type:"path"`
	AnalyticsBin string `help:"Program of analytics (default: bin/analytics in the project)." name:"analytics-bin" type:"path"`

	CRMPort           int `help:"gRPC port of crm (default: 7400)." name:"crm-port" env:"TANDEM_CRM_PORT"`
	CRMHTTPPort       int `help:"Health and metrics port of crm (default: 7401)." name:"crm-http-port" env:"TANDEM_CRM_HTTP_PORT"`
	AnalyticsPort     int `help:"gRPC port of analytics (default: 7410)." env:"TANDEM_ANALYTICS_PORT"`
	AnalyticsHTTPPort int `help:"Health and metrics port of analytics (default: 7411)." name:"analytics-http-port" env:"TANDEM_ANALYTICS_HTTP_PORT"`

	BaseCurrency string `help:"Currency the bank counts in (ISO 4217)." default:"CZK" env:"CRM_BASE_CURRENCY"`
	TimeZone     string `help:"Time zone of the bank." default:"Europe/Prague" env:"CRM_TIME_ZONE,ANALYTICS_TIME_ZONE"`

	Exit    bool     `help:"Stop the stack when the command has ended, and end with its status."`
	Command []string `arg:"" optional:"" passthrough:"" help:"Command to run beside the stack, after --."`
}

// addressesName is the file in the data folder that tells other programs where the stack is.
const addressesName = "addresses.env"

// Run stays until the context ends, a part of the stack does, or, with --exit, the command does.
func (c *upCommand) Run(ctx context.Context) (err error) {
	w, err := c.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	s, err := stack.New(c.config(w))
	if err != nil {
		return err
	}
	fmt.Println("starting Postgres, NATS, ClickHouse, crm and analytics")
	if err := s.Start(ctx); err != nil {
		return err
	}
	defer func() {
		fmt.Println("stopping")
		err = errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
	}()

	file := filepath.Join(w.data.Path(), addressesName)
	if err := stack.WriteEnv(file, s.Addresses()); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stack.RemoveEnv(file, s.Addresses())) }()
	fmt.Printf("Tandem is up:\n%s", s.Table())
	return c.stay(ctx, s)
}

// stay runs the command, if there is one, and waits.
func (c *upCommand) stay(ctx context.Context, s *stack.Stack) error {
	if len(c.Command) > 0 {
		err := runBeside(ctx, c.Command, s.Addresses(), s.Processes())
		// A command that failed is not hidden behind a stack that stays up.
		if err != nil || c.Exit {
			return err
		}
	}
	fmt.Println("Ctrl-C stops it")
	return stack.Watch(ctx, s.Processes())
}

// config is the configuration of the stack in the workspace.
func (c *upCommand) config(w *workspace) stack.Config {
	cfg := stack.Config{
		Engines:    c.engines(w),
		CRMProgram: c.CRMBin, AnalyticsProgram: c.AnalyticsBin,
		CRMPort:           c.port(c.CRMPort, 7400),
		CRMHTTPPort:       c.port(c.CRMHTTPPort, 7401),
		AnalyticsPort:     c.port(c.AnalyticsPort, 7410),
		AnalyticsHTTPPort: c.port(c.AnalyticsHTTPPort, 7411),
		BaseCurrency:      c.BaseCurrency,
		TimeZone:          c.TimeZone,
	}
	// The usual stack shares its key with the containers, and the command line looks for it there.
	if c.Data == "" && !c.Throwaway {
		cfg.SecretsDir = filepath.Join(w.root, ".local", "secrets")
	}
	if cfg.CRMProgram == "" {
		cfg.CRMProgram = filepath.Join(w.root, "bin", "crm")
	}
	if cfg.AnalyticsProgram == "" {
		cfg.AnalyticsProgram = filepath.Join(w.root, "bin", "analytics")
	}
	return cfg
}
