package importer

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/cli/internal/show"
)

const (
	retryDelayFirst = 200 * time.Millisecond
	retryDelayMost  = 5 * time.Second
)

// patience decides whether and when a call that failed is made again.
type patience struct {
	limit  time.Duration
	notice func(string)

	since time.Time
	delay time.Duration
}

// reset is called after a success.
func (p *patience) reset() { p.since, p.delay = time.Time{}, 0 }

// wait returns nil after a pause when the call may be made again, or the error that ends the import.
func (p *patience) wait(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if !passing(err) {
		return err
	}
	if p.since.IsZero() {
		p.since, p.delay = time.Now(), retryDelayFirst
		p.notice(fmt.Sprintf("the operational service does not answer (%s); trying again for %s", show.Cause(status.Convert(err).Message()), p.limit))
	}
	if time.Since(p.since)+p.delay > p.limit {
		return fmt.Errorf("the operational service did not come back within %s; the same command goes on where this one stopped: %w", p.limit, err)
	}
	// Half of the pause is by chance, so that batches that failed together do not come back together.
	timer := time.NewTimer(p.delay/2 + rand.N(p.delay/2+1)) //nolint:gosec // no secret depends on it
	defer timer.Stop()
	p.delay = min(2*p.delay, retryDelayMost)
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// passing says whether an error may go away by itself. CANCELED counts: the caller looks at its own context first, so
// that only a service that shuts down is left as its reason.
func passing(err error) bool {
	if errors.Is(err, errStreamEnded) {
		return true
	}
	st, ok := status.FromError(err)
	return ok && passingCode(st.Code())
}

func passingCode(code codes.Code) bool {
	switch code {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Aborted, codes.Canceled:
		return true
	default:
		return false
	}
}

// unsettled returns the error of the first row that says nothing about the row but that the service was not able to look
// at it: the batch has to be sent again.
func unsettled(results []*crmv1.UpsertResult) error {
	for _, result := range results {
		if code := codes.Code(result.GetError().GetCode()); passingCode(code) { //nolint:gosec // codes are small
			return status.FromProto(result.GetError()).Err()
		}
	}
	return nil
}

// noticeInterval keeps batches that fail together from saying the same thing together.
const noticeInterval = 10 * time.Second

// notices passes on one notice in a while.
type notices struct {
	print func(string)
	mu    sync.Mutex
	last  time.Time
}

func (n *notices) say(text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if time.Since(n.last) >= noticeInterval {
		n.last = time.Now()
		n.print(text)
	}
}
