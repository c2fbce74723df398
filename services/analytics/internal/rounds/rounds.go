// Package rounds counts the rounds of work that never ends, so that others can wait until what was there when they asked is done.
package rounds

import (
	"context"
	"sync"
)

// Rounds of one piece of work. The zero value is ready.
type Rounds struct {
	mu          sync.Mutex
	begun, done uint64
	idle        bool
	// moved is closed at the next change; nil when nobody waits.
	moved chan struct{}
}

// Begin counts a round, and returns its number.
func (r *Rounds) Begin() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.begun++
	return r.begun
}

// Done notes that all was done that was there when a round began.
func (r *Rounds) Done(round uint64) {
	r.change(func() { r.done = round })
}

// Idle notes that nobody works here, or somebody again: there is nothing to wait for then.
func (r *Rounds) Idle(idle bool) {
	r.change(func() { r.idle = idle })
}

func (r *Rounds) change(by func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	by()
	if r.moved != nil {
		close(r.moved)
		r.moved = nil
	}
}

// Wait rouses the work and returns when a round that began after the call is done. Errors: only those of the context.
func (r *Rounds) Wait(ctx context.Context, rouse func()) error {
	r.mu.Lock()
	since := r.begun
	r.mu.Unlock()
	rouse()
	for {
		over, moved := r.look(since)
		if over {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-moved:
		}
	}
}

// look tells whether a wait is over, and what is closed when it may be.
func (r *Rounds) look(since uint64) (over bool, moved <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.moved == nil {
		r.moved = make(chan struct{})
	}
	return r.idle || r.done > since, r.moved
}
