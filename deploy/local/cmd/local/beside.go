package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"tandem.bank/deploy/local/process"
	"tandem.bank/deploy/local/stack"
)

// commandGrace is how long a command may take to end after Ctrl-C.
const commandGrace = 10 * time.Second

// runBeside runs a command of the user's in our terminal, as long as the stack beside it lives.
func runBeside(parent context.Context, command, env []string, beside []*process.Process) error {
	if len(command) > 0 && command[0] == "--" {
		command = command[1:]
	}
	if len(command) == 0 {
		return errors.New("there is no command after --")
	}
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	go func() { cancel(stack.Watch(ctx, beside)) }()

	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), env...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = commandGrace
	err := cmd.Run()

	if died, ok := errors.AsType[*stack.DiedError](context.Cause(ctx)); ok {
		return died
	}
	if parent.Err() != nil {
		return parent.Err()
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		if code := exit.ExitCode(); code > 0 {
			return statusError(code)
		}
		return fmt.Errorf("the command %s: %w", command[0], err) // ended by a signal
	}
	if err != nil {
		return fmt.Errorf("run the command: %w", err)
	}
	return nil
}
