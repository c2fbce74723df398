// Package lifecycle runs the parts of a service together and stops them in reverse.
package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"
)

// stopTimeout bounds how long one part may take to stop.
const stopTimeout = 20 * time.Second

// Part is something that runs until its context ends.
type Part struct {
	// Name for logs and errors.
	Name string
	// Run works until the context is cancelled and then stops cleanly. Returning earlier, even without an error, stops the
	// whole service.
	Run func(ctx context.Context) error
}

// Run starts the parts in order. When the context ends or a part returns, they are stopped one by one, last first: a
// part never outlives what it depends on. It returns the first error that was not the requested end.
func Run(ctx context.Context, log *slog.Logger, parts ...Part) error {
	type exit struct {
		index int
		err   error
	}
	exits := make(chan exit, len(parts))
	cancels := make([]context.CancelFunc, len(parts))
	done := make([]chan struct{}, len(parts))
	for i, part := range parts {
		// Each part has a context of its own, so that the end of ctx does not stop all at once.
		partCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		cancels[i], done[i] = cancel, make(chan struct{})
		go func() {
			defer close(done[i])
			exits <- exit{i, part.Run(partCtx)}
		}()
	}

	var failure error
	select {
	case <-ctx.Done():
		log.Info("stopping")
	case e := <-exits:
		failure = early(parts[e.index].Name, e.err)
		log.Error("a part ended by itself; stopping the others", "part", parts[e.index].Name, "error", e.err)
	}
	for i, part := range slices.Backward(parts) {
		cancels[i]()
		select {
		case <-done[i]:
		case <-time.After(stopTimeout):
			failure = errors.Join(failure, fmt.Errorf("%s did not stop within %s", part.Name, stopTimeout))
		}
	}
	for range len(parts) {
		select {
		case e := <-exits:
			if e.err != nil && !errors.Is(e.err, context.Canceled) {
				failure = errors.Join(failure, fmt.Errorf("%s: %w", parts[e.index].Name, e.err))
			}
		default:
		}
	}
	return failure
}

func early(name string, err error) error {
	if err == nil {
		return fmt.Errorf("%s ended unexpectedly", name)
	}
	return fmt.Errorf("%s: %w", name, err)
}
