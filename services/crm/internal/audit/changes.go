package audit

import (
	"context"
	"slices"
	"sync"
)

// changes are the customers of whom a call has left entries about changes, and whom it knows to hold accounts.
type changes struct {
	mu        sync.Mutex
	customers map[int64]bool
	holders   map[int64][]int64
}

type changesKey struct{}

func withChanges(ctx context.Context) (context.Context, *changes) {
	told := &changes{}
	return context.WithValue(ctx, changesKey{}, told), told
}

// note remembers whom entries name. Should their transaction fail, the call does too and shows nothing.
func note(ctx context.Context, entries []Entry) {
	told, ok := ctx.Value(changesKey{}).(*changes)
	if !ok {
		return
	}
	told.mu.Lock()
	defer told.mu.Unlock()
	if told.customers == nil {
		told.customers = make(map[int64]bool, len(entries))
	}
	for _, e := range entries {
		told.customers[e.CustomerID] = true
		for _, id := range e.CustomerIDs {
			told.customers[id] = true
		}
	}
}

// TellHolders says who holds an account that a call shows: what the call has read anyway, its entry need not look up.
func TellHolders(ctx context.Context, accountID int64, customerIDs []int64) {
	told, ok := ctx.Value(changesKey{}).(*changes)
	if !ok {
		return
	}
	told.mu.Lock()
	defer told.mu.Unlock()
	if told.holders == nil {
		told.holders = map[int64][]int64{}
	}
	told.holders[accountID] = customerIDs
}

// heldBy returns the holders that the call has told of, and the accounts whose holders it has not.
func (c *changes) heldBy(accountIDs []int64) (customerIDs, unknown []int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range accountIDs {
		if holders, ok := c.holders[id]; ok {
			customerIDs = append(customerIDs, holders...)
		} else {
			unknown = append(unknown, id)
		}
	}
	return customerIDs, unknown
}

// any reports whether the call changed anything. Then the accounts that it shows are those that it changed.
func (c *changes) any() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.customers) > 0
}

// all reports whether entries name all these customers.
func (c *changes) all(ids []int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !slices.ContainsFunc(ids, func(id int64) bool { return !c.customers[id] })
}
