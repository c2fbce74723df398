package benchkit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"tandem.bank/deploy/local/engine"
	"tandem.bank/deploy/local/project"
)

// Main is the main function of a benchmark: the command line fills config, a pointer to a struct with flags, and a signal
// ends ctx. An engine is a child of the benchmark that runs the same program: in one, Main does not return.
func Main(name, description string, config any, run func(ctx context.Context) error) {
	engine.RunIfChild()
	kong.Parse(config, kong.Name(name), kong.Description(description))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

// InFolder works with the root of the project and a folder for data, which it removes afterwards; one that is given stays.
func InFolder(folder string, work func(root, folder string) error) (err error) {
	root, err := project.Root(".")
	if err != nil {
		return err
	}
	if folder == "" {
		if folder, err = os.MkdirTemp("", "tandem-bench-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	}
	return work(root, folder)
}
