package audit

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
)

// flushTimeout bounds how long readers wait for a database that does not answer.
const flushTimeout = 10 * time.Second

// Recorder writes entries about reads. Record returns when the entry is committed, so that no read is answered without
// one; reads that come while a commit is under way share the next. A lone read does not wait for company.
type Recorder struct {
	pool *pgxpool.Pool

	mu       sync.Mutex
	waiting  *group
	flushing bool
}

// group is what one transaction will write.
type group struct {
	origins []origin
	entries []Entry
	done    chan struct{}
	err     error
}

// NewRecorder writes to a database.
func NewRecorder(pool *pgxpool.Pool) *Recorder { return &Recorder{pool: pool} }

// Customers records that the call showed sensitive fields of customers; none shown is no entry.
func (r *Recorder) Customers(ctx context.Context, ids ...int64) error {
	switch len(ids) {
	case 0:
		return nil
	case 1:
		return r.Record(ctx, Entry{Action: Read, Entity: entityCustomer, EntityID: ids[0], CustomerID: ids[0]})
	default:
		return r.Record(ctx, Entry{Action: Read, Entity: entityCustomer, CustomerIDs: ids})
	}
}

// Record returns when the entry is committed. When the database refuses it, the caller must not answer.
func (r *Recorder) Record(ctx context.Context, entry Entry) error {
	g, lead := r.join(originOf(ctx), entry)
	if lead {
		// Not in the caller's context: one caller who hangs up must not fail the others.
		go r.flush(context.WithoutCancel(ctx))
	}
	select {
	case <-g.done:
		if g.err != nil {
			return apperr.Wrap(g.err, codes.Unavailable, apperr.ReasonUnavailable, "the read could not be recorded, so it is not answered; try again")
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// join adds an entry to those that wait; lead says that nobody writes at the moment.
func (r *Recorder) join(o origin, entry Entry) (g *group, lead bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.waiting == nil {
		r.waiting = &group{done: make(chan struct{})}
	}
	g = r.waiting
	g.origins, g.entries = append(g.origins, o), append(g.entries, entry)
	lead = !r.flushing
	r.flushing = true
	return g, lead
}

// flush writes groups until none waits.
func (r *Recorder) flush(ctx context.Context) {
	for {
		r.mu.Lock()
		g := r.waiting
		r.waiting = nil
		if g == nil {
			r.flushing = false
			r.mu.Unlock()
			return
		}
		r.mu.Unlock()
		g.err = r.write(ctx, g)
		close(g.done)
	}
}

func (r *Recorder) write(ctx context.Context, g *group) error {
	ctx, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	batch := &pgx.Batch{}
	for i := range g.entries {
		queue(batch, g.origins[i], g.entries[i:i+1])
	}
	// The statements of a batch are one transaction, and one round trip.
	if err := r.pool.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("append reads to audit: %w", err)
	}
	return nil
}
