package engine

import (
	"context"
	"fmt"

	"tandem.bank/deploy/local/process"
)

// Existing is an engine that somebody else runs. It is checked at the start and otherwise left alone.
type Existing struct {
	name string
	url  string
	ping func(ctx context.Context, address string) error
}

// NewExisting uses the engine at the address instead of starting one.
func NewExisting(name, address string, ping func(ctx context.Context, address string) error) *Existing {
	return &Existing{name: name, url: address, ping: ping}
}

// Name is the word for the engine in messages.
func (e *Existing) Name() string { return e.name }

// Start fails when the engine does not answer.
func (e *Existing) Start(ctx context.Context) error {
	if err := e.ping(ctx, e.url); err != nil {
		return fmt.Errorf("%s does not answer at the given address %s: %w", e.name, redact(e.url), err)
	}
	return nil
}

// Stop leaves the engine running.
func (*Existing) Stop(context.Context) error { return nil }

// Kill leaves the engine running.
func (*Existing) Kill() {}

// URL is the given address.
func (e *Existing) URL() string { return e.url }

// Process is nil: the process is not ours.
func (*Existing) Process() *process.Process { return nil }
