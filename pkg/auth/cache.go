package auth

import (
	"sync"
	"time"
)

// cachedTokensMax bounds what is remembered: some hundred bytes a token.
const cachedTokensMax = 20_000

// cache remembers good tokens by their hash. It holds two generations: when the young one is full, it becomes the old one,
// and the old one is forgotten. A token in use comes back by being verified once more.
type cache struct {
	mu         sync.RWMutex
	young, old map[[32]byte]cached
	max        int
}

type cached struct {
	principal Principal
	until     time.Time
}

func newCache(tokensMax int) *cache {
	return &cache{young: map[[32]byte]cached{}, max: tokensMax / 2}
}

func (c *cache) get(hash [32]byte, now time.Time) (Principal, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	found, ok := c.young[hash]
	if !ok {
		found, ok = c.old[hash]
	}
	if !ok || !now.Before(found.until) {
		return Principal{}, false
	}
	return found.principal, true
}

func (c *cache) put(hash [32]byte, p Principal, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.young) >= c.max {
		c.old, c.young = c.young, make(map[[32]byte]cached, c.max)
	}
	c.young[hash] = cached{p, until}
}
