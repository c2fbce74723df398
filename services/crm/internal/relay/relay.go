package relay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"tandem.bank/pkg/natsx"
)

const (
	// ackTimeout is when a message counts as lost. A broken connection is noticed at once; this is for a server that
	// keeps the connection and does not answer.
	ackTimeout = 30 * time.Second
	backoffMin = 100 * time.Millisecond
	backoffMax = 5 * time.Second
)

// errSlotTaken says that another process got the slot between our look and our start.
var errSlotTaken = errors.New("the slot was taken by another process")

// Relay publishes the outbox while it holds the slot.
type Relay struct {
	config  Config
	log     *slog.Logger
	js      jetstream.JetStream
	metrics *metrics

	active    atomic.Bool
	published atomic.Int64
	// commitTime is the commit of the newest published change, in nanoseconds since 1970; 0 before the first.
	commitTime atomic.Int64
	// oldest is the commit of the oldest change in flight, likewise; 0 when nothing is in flight.
	oldest atomic.Int64
}

// Status is what a relay knows of itself.
type Status struct {
	// Active says whether this process holds the slot and publishes.
	Active bool
	// PublishedCommitTime is the commit time of the newest change published; zero before the first.
	PublishedCommitTime time.Time
	// PublishedEvents counts the changes published since the process started; what is sent again counts again.
	PublishedEvents int64
}

// New checks the configuration and registers the metrics.
func New(c Config) (*Relay, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	// A JetStream of its own: the limits of asynchronous publishing belong to it. Its limit on messages would fail the
	// publishing when it is reached; ours waits, so that theirs is out of reach.
	js, err := jetstream.New(c.JetStream.Conn(),
		jetstream.WithPublishAsyncTimeout(ackTimeout), jetstream.WithPublishAsyncMaxPending(math.MaxInt32))
	if err != nil {
		return nil, fmt.Errorf("relay: open jetstream: %w", err)
	}
	r := &Relay{config: c, log: c.Logger.With("component", "relay", "slot", c.SlotName), js: js}
	if r.metrics, err = newMetrics(c.Registerer, r); err != nil {
		return nil, err
	}
	return r, nil
}

// Status returns the state of this process; another one may hold the slot.
func (r *Relay) Status() Status {
	s := Status{Active: r.active.Load(), PublishedEvents: r.published.Load()}
	if t := r.commitTime.Load(); t != 0 {
		s.PublishedCommitTime = time.Unix(0, t).UTC()
	}
	return s
}

// Run publishes until the context ends. It outlives every failure of Postgres and NATS, with pauses in between.
func (r *Relay) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { r.watchLag(ctx); return nil })
	group.Go(func() error { r.relay(ctx); return nil })
	return group.Wait()
}

func (r *Relay) relay(ctx context.Context) {
	defer r.js.CleanupPublisher()
	for attempt := 0; ctx.Err() == nil; attempt++ {
		before := r.published.Load()
		err := r.session(ctx)
		if ctx.Err() != nil {
			return
		}
		if r.published.Load() > before {
			attempt = 0
		}
		pause := backoff(attempt)
		if errors.Is(err, errSlotTaken) {
			pause = r.config.TakeoverInterval
		} else {
			r.log.Warn("session ended; nothing is lost, it starts again where it was confirmed", "retry_in", pause, "error", err)
			r.metrics.failures.Inc()
		}
		wait(ctx, pause)
	}
}

// session holds the slot once, from the first look to the first failure.
func (r *Relay) session(ctx context.Context) error {
	// 1. Without NATS there is no use in holding the slot.
	if err := natsx.AwaitConnected(ctx, r.js.Conn()); err != nil {
		return err
	}
	if err := natsx.EnsureStreams(ctx, r.js, r.config.StreamOptions...); err != nil {
		return err
	}
	// 2. The slot must exist, and be free.
	if err := r.ensureSlot(ctx); err != nil {
		return err
	}
	if err := r.awaitFree(ctx); err != nil {
		return err
	}
	// 3. Take it.
	stream, err := startReplication(ctx, r.config)
	if err != nil {
		return err
	}
	defer stream.close()
	r.active.Store(true)
	r.log.Info("holds the slot and publishes")
	defer func() {
		r.active.Store(false)
		r.oldest.Store(0)
	}()
	return r.follow(ctx, stream)
}

// follow publishes what the stream brings until something fails.
func (r *Relay) follow(ctx context.Context, stream *replication) error {
	group, ctx := errgroup.WithContext(ctx)
	out := newPublisher(r)
	position := newPosition()
	group.Go(func() error { return out.settle(ctx, position.advance) })
	// From here on the server hears from us, also while it has to wait for the replay.
	group.Go(func() error { return stream.reportStatus(ctx, position) })
	group.Go(func() error { return r.watchNATS(ctx) })
	group.Go(func() error {
		if err := r.replayIfNeeded(ctx, out); err != nil {
			return err
		}
		group.Go(func() error { return r.storeWatermarks(ctx, position) })
		return stream.receive(ctx, out, position)
	})
	return group.Wait()
}

// watchNATS ends the session when the connection breaks. What is in flight has failed then; and a slot that is held and
// not confirmed would keep Postgres from shutting down, for it waits until its replication connections have all.
func (r *Relay) watchNATS(ctx context.Context) error {
	nc := r.js.Conn()
	broken := nc.StatusChanged(nats.RECONNECTING, nats.CLOSED)
	defer nc.RemoveStatusListener(broken)
	if nc.IsConnected() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-broken:
		}
	}
	return errors.New("the connection to NATS broke")
}

// backoff doubles from backoffMin to backoffMax. The random part keeps processes from coming back all at once.
func backoff(attempt int) time.Duration {
	d := min(backoffMin<<min(attempt, 10), backoffMax)
	return d/2 + rand.N(d/2) //nolint:gosec // no secret
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
