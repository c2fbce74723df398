package lifecycle

import (
	"context"
	"time"
)

// Every does a round of work now and then once per interval, until the context ends. A round that lasts longer than that
// delays the next; what fails in it is its own to tell. Every returns nil, as a Part does that was asked to stop.
func Every(ctx context.Context, interval time.Duration, round func(context.Context)) error {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		round(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}
