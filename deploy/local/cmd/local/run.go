package main

import (
	"context"
	"errors"

	"tandem.bank/deploy/local/stack"
)

// runCommand runs one command against engines that live as long as it does.
type runCommand struct {
	options
	Command []string `arg:"" passthrough:"" help:"Command and its arguments, after --."`
}

// Run ends with the status of the command.
func (c *runCommand) Run(ctx context.Context) (err error) {
	w, err := c.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	engines, err := stack.NewEngines(c.engines(w))
	if err != nil {
		return err
	}
	if err := engines.Start(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engines.Stop(context.WithoutCancel(ctx))) }()
	return runBeside(ctx, c.Command, engines.TestEnv(), engines.Processes())
}
