package customerfact

import "context"

// Await returns when the facts of all customers whose changes were stored before the call have been told anew, and those who follow were
// told. Errors: only those of the context; trouble with ClickHouse is waited out.
func (k *Keeper) Await(ctx context.Context) error { return k.rounds.Wait(ctx, k.rouse) }

// finish notes that all that was pending when a round began was done, unless it is not yet the time of everybody.
func (k *Keeper) finish(round uint64) {
	k.lock.Lock()
	waits := k.pending.everybody
	k.lock.Unlock()
	if !waits {
		k.rounds.Done(round)
	}
}
