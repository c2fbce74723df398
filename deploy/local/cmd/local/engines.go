package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"tandem.bank/deploy/local/stack"
)

// enginesCommand runs the engines alone, for tests and for a look inside.
type enginesCommand struct {
	options
	EnvFile string `help:"File for the addresses that tests read; removed at the end (default: .local/test/engines.env in the project)." type:"path"`
}

// Run stays until the context ends or an engine does.
func (c *enginesCommand) Run(ctx context.Context) (err error) {
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

	file := c.EnvFile
	if file == "" {
		file = filepath.Join(w.root, ".local", "test", "engines.env")
	}
	if err := stack.WriteEnv(file, engines.TestEnv()); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stack.RemoveEnv(file, engines.TestEnv())) }()
	for _, line := range engines.TestEnv() {
		fmt.Println(line)
	}
	fmt.Printf("written to %s; Ctrl-C stops the engines\n", file)
	return stack.Watch(ctx, engines.Processes())
}
