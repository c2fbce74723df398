package process

import (
	"context"
	"fmt"
	"time"
)

// WaitReady calls ping every interval until it succeeds, the child ends, or the time is over. A child that
// did not become ready is not left running.
func WaitReady(ctx context.Context, p *Process, timeout, interval time.Duration, ping func(context.Context) error) error {
	deadline := time.NewTimer(timeout)
	defer deadline.Stop()
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		err := ping(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.Done():
			return p.Failure()
		case <-ctx.Done():
			p.Kill()
			return fmt.Errorf("start of %s interrupted: %w", p.cfg.Name, ctx.Err())
		case <-deadline.C:
			p.Kill()
			return fmt.Errorf("%s did not become ready within %s (%w); the end of %s:\n%s",
				p.cfg.Name, timeout, err, p.cfg.LogFile, p.Tail(failureLines))
		case <-tick.C:
		}
	}
}
