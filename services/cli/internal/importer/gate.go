package importer

import (
	"context"
	"sync"
)

// gate holds back a record while another with the same key is under way. Batches overtake each other; without the gate
// it would be chance which of two rows with one key is the first.
type gate struct {
	mu    sync.Mutex
	under map[string]chan struct{}
}

func newGate() *gate { return &gate{under: map[string]chan struct{}{}} }

// enter notes that the keys of a batch are under way, until leave.
func (g *gate) enter(keys []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	gone := make(chan struct{})
	for _, key := range keys {
		g.under[key] = gone
	}
}

// leave lets those in that wait for a key of the batch.
func (g *gate) leave(keys []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, key := range keys {
		if i == 0 {
			close(g.under[key]) // all keys of a batch share the channel
		}
		delete(g.under, key)
	}
}

// wait returns when no record with the key is under way.
func (g *gate) wait(ctx context.Context, key string) error {
	g.mu.Lock()
	gone := g.under[key]
	g.mu.Unlock()
	if gone == nil {
		return nil
	}
	select {
	case <-gone:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
