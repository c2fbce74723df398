package engine

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Hidden first arguments that turn the program into one engine.
const (
	natsCommand       = "engine-nats"
	clickhouseCommand = "engine-clickhouse"
)

// RunIfChild turns the program into an engine when it was started as one; then it does not return.
func RunIfChild() {
	if len(os.Args) < 2 {
		return
	}
	var run func(args []string, stop <-chan struct{}) error
	switch os.Args[1] {
	case natsCommand:
		run = runNATS
	case clickhouseCommand:
		run = runClickHouse
	default:
		return
	}
	parent, err := keepStandardInput()
	if err == nil {
		err = run(os.Args[2:], stopRequested(parent))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// stopRequested is told once on SIGTERM, and once when the parent is gone, which closes the pipe from it.
func stopRequested(parent io.Reader) <-chan struct{} {
	stop := make(chan struct{}, 2)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	// The terminal's signals are for the parent. A broken pipe is an error of the write, also in the threads of
	// a library that Go knows nothing of.
	signal.Ignore(syscall.SIGINT, syscall.SIGHUP, syscall.SIGPIPE)
	go func() {
		<-signals
		stop <- struct{}{}
	}()
	go func() {
		_, _ = io.Copy(io.Discard, parent)
		stop <- struct{}{}
	}()
	return stop
}
