// Command local runs Tandem on one machine without containers: the engines, the two services on top, and,
// when asked, a command beside them.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"tandem.bank/deploy/local/engine"
)

// commands are the commands of the program.
type commands struct {
	Up      upCommand      `cmd:"" help:"Start the engines, crm and analytics, run a command if one is given, and stay until Ctrl-C."`
	Engines enginesCommand `cmd:"" help:"Start Postgres, NATS and ClickHouse and stay until Ctrl-C."`
	Clean   cleanCommand   `cmd:"" help:"Remove the data folder."`
	Run     runCommand     `cmd:"" help:"Start the engines, run a command against them, stop, and end with its status."`
}

func main() {
	engine.RunIfChild()

	var cli commands
	parsed := kong.Parse(&cli, kong.Name("local"), kong.UsageOnError(),
		kong.Description("Runs Tandem on this machine without containers."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second Ctrl-C, while everything stops, ends us at once; the children then end by themselves.
	context.AfterFunc(ctx, stop)
	parsed.BindTo(ctx, (*context.Context)(nil))
	err := parsed.Run()
	stop()

	var status statusError
	switch {
	case err == nil:
	case errors.As(err, &status):
		os.Exit(int(status))
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(os.Stderr, "local: interrupted, everything is stopped")
		os.Exit(interruptedStatus)
	default:
		fmt.Fprintln(os.Stderr, "local:", err)
		os.Exit(1)
	}
}

// interruptedStatus is what shells use after Ctrl-C.
const interruptedStatus = 130

// statusError carries the exit status of the command we ran.
type statusError int

func (s statusError) Error() string { return fmt.Sprintf("the command ended with status %d", int(s)) }
