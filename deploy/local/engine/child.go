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
	var run func(args []string) error
	switch os.Args[1] {
	case natsCommand:
		run = runNATS
	case clickhouseCommand:
		run = runClickHouse
	default:
		return
	}
	if err := run(os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// stopRequested is closed on SIGTERM or when the parent is gone, which closes our standard input.
func stopRequested() <-chan struct{} {
	stop := make(chan struct{}, 2)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	signal.Ignore(syscall.SIGINT, syscall.SIGHUP)
	go func() {
		<-signals
		stop <- struct{}{}
	}()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // ends when the parent does
		stop <- struct{}{}
	}()
	return stop
}
