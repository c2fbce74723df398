package customerfact

import (
	"context"
	"time"
)

// awaitInterval is how often it is looked whether a wait is over.
const awaitInterval = 20 * time.Millisecond

// Await returns when the facts of all customers whose changes were stored before the call have been told anew, and those who follow were
// told. Errors: only those of the context; trouble with ClickHouse is waited out.
func (k *Keeper) Await(ctx context.Context) error {
	k.lock.Lock()
	since := k.begun
	k.lock.Unlock()
	k.rouse()
	tick := time.NewTicker(awaitInterval)
	defer tick.Stop()
	for {
		k.lock.Lock()
		done := k.done > since
		k.lock.Unlock()
		if done {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// begin counts a round.
func (k *Keeper) begin() {
	k.lock.Lock()
	defer k.lock.Unlock()
	k.begun++
}

// finish notes that all that was pending when the last round began was done, unless it is not yet the time of everybody.
func (k *Keeper) finish() {
	k.lock.Lock()
	defer k.lock.Unlock()
	if !k.pending.everybody {
		k.done = k.begun
	}
}
