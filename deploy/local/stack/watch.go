package stack

import (
	"context"

	"tandem.bank/deploy/local/process"
)

// DiedError says that a part of the stack ended though nobody asked it to.
type DiedError struct {
	cause error
}

// Error shows the end of the dead part's log.
func (e *DiedError) Error() string { return "unexpected end of the stack: " + e.cause.Error() }

// Unwrap is how the part ended.
func (e *DiedError) Unwrap() error { return e.cause }

// Watch waits until the context ends, which is no error, or until the first of the processes does.
func Watch(ctx context.Context, processes []*process.Process) error {
	ended := make(chan *process.Process, len(processes))
	for _, p := range processes {
		go func() {
			select {
			case <-p.Done():
				ended <- p
			case <-ctx.Done():
			}
		}()
	}
	select {
	case p := <-ended:
		return &DiedError{cause: p.Failure()}
	case <-ctx.Done():
		return nil
	}
}
