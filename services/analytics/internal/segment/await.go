package segment

import (
	"context"
	"time"
)

// awaitInterval is how often it is looked whether a wait is over.
const awaitInterval = 20 * time.Millisecond

// Await returns when the members of followed segments answer to all definitions in the warehouse and all changes of facts that were told
// before the call; at once in a process that doesn't follow, since another does. Errors: only those of the context.
func (s *Service) Await(ctx context.Context) error {
	f := s.follower
	f.waiting.Lock()
	since := f.begun
	f.waiting.Unlock()
	f.rouse()
	tick := time.NewTicker(awaitInterval)
	defer tick.Stop()
	for {
		f.waiting.Lock()
		over := !f.following || f.done > since
		f.waiting.Unlock()
		if over {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// follow notes that this process follows, or no more.
func (f *follower) follow(now bool) {
	f.waiting.Lock()
	defer f.waiting.Unlock()
	f.following = now
}

// counted is a step that is counted, so that it can be waited for.
func (f *follower) counted(ctx context.Context) error {
	f.waiting.Lock()
	f.begun++
	at := f.begun
	f.waiting.Unlock()
	if err := f.step(ctx); err != nil {
		return err
	}
	f.waiting.Lock()
	defer f.waiting.Unlock()
	f.done = at
	return nil
}
