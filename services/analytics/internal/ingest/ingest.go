// Package ingest follows the stream of changes into the warehouse: nothing lost, nothing doubled, and what can't be
// applied put aside with its reason.
package ingest

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"tandem.bank/pkg/natsx"
	"tandem.bank/services/analytics/internal/fact"
)

const (
	// durable is the name of the consumer; its acknowledgements are the position that survives restarts.
	durable = "analytics-ingest"
	// batchMessagesMax, batchRowsMax and flushInterval close a batch, whichever comes first: large enough that
	// ClickHouse writes few parts, soon enough that an analyst sees a change within a second.
	//
	// Rows have a limit of their own, because transactions come in bundles and a batch of them writes one part for each
	// month that it touches. Two years of history in batches of 20 000 are parts of 800 rows; with 100 000 the same
	// backlog is stored twice as fast (BenchmarkIngest), and a batch stays below 100 MB of memory.
	batchMessagesMax = 20_000
	batchRowsMax     = 100_000
	flushInterval    = 250 * time.Millisecond
	// ackWait is how long NATS waits before it sends a message again. Longer than any insert should take, also one over
	// decades of months on a busy machine; a message that comes twice because it took longer does no harm.
	ackWait = time.Minute
	// ackPendingMax bounds messages delivered and not acknowledged: two batches of single rows and what is on the way.
	ackPendingMax = 3 * batchMessagesMax
	// pullBytesMax bounds what waits in memory while a batch is inserted.
	pullBytesMax = 32 << 20
	// heartbeat is how often NATS says that it is there when it has nothing to send. Two missing ones end following: a
	// server that came back without our consumer does not say so.
	heartbeat = 3 * time.Second
	// pullExpiry is how long NATS keeps one request for messages open.
	pullExpiry = 30 * time.Second
	// Pause between attempts while ClickHouse or NATS is away.
	backoffMin = 100 * time.Millisecond
	backoffMax = 5 * time.Second
)

// Config is what ingestion needs.
type Config struct {
	Warehouse driver.Conn
	JetStream jetstream.JetStream
	Logger    *slog.Logger
	// Registry takes the metrics.
	Registry *prometheus.Registry
	// Stored is told what each batch was about once its rows are in the tables, and before it is acknowledged: an error repeats the
	// batch. Nil when nobody follows.
	Stored func(ctx context.Context, touched fact.Touched) error
}

// Validate names what is missing.
func (c Config) Validate() error {
	if c.Warehouse == nil || c.JetStream == nil || c.Logger == nil || c.Registry == nil {
		return errors.New("ingest: warehouse, jetstream, logger and registry are required")
	}
	return nil
}

// Ingest follows stream CRM.
type Ingest struct {
	warehouse driver.Conn
	js        jetstream.JetStream
	log       *slog.Logger
	positions positionStore
	letters   *deadLetters
	metrics   *metrics
	stored    func(ctx context.Context, touched fact.Touched) error

	// position is what the warehouse holds; only Run's goroutine writes it.
	position position
	newest   atomic.Int64 // position.newestChange in microseconds, for readers
	// following is true while the consumer is known to match the warehouse: only then its floor means anything.
	following atomic.Bool
}

// New builds an Ingest; Run does the work.
func New(c Config) (*Ingest, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	in := &Ingest{
		warehouse: c.Warehouse,
		js:        c.JetStream,
		log:       c.Logger.With("component", "ingest"),
		positions: positionStore{c.Warehouse},
		letters:   newDeadLetters(c.JetStream),
		stored:    c.Stored,
	}
	if in.stored == nil {
		in.stored = func(context.Context, fact.Touched) error { return nil }
	}
	var err error
	if in.metrics, err = newMetrics(c.Registry, in); err != nil {
		return nil, err
	}
	return in, nil
}

// Run follows the stream until the context ends. Trouble with ClickHouse or NATS is never an end: it lets go of what is
// in hand, waits, looks at both sides anew, and goes on from what is stored.
func (in *Ingest) Run(ctx context.Context) error {
	pause := backoffMin
	// At the start, what a former process left unacknowledged is asked for again at once.
	rewind := true
	for {
		began := time.Now()
		err := in.follow(ctx, rewind)
		in.following.Store(false)
		if ctx.Err() != nil {
			return nil
		}
		// Another process of this service that starts rewinds the consumer, which ends our subscription. Rewinding it
		// again would end theirs, and so on: join instead.
		rewind = !errors.Is(err, jetstream.ErrConsumerDeleted) && !errors.Is(err, jetstream.ErrConsumerNotFound)
		in.metrics.interruptions.Inc()
		if time.Since(began) > backoffMax {
			pause = backoffMin // it worked for a while: this is a new trouble
		}
		in.log.WarnContext(ctx, "interrupted; trying again", "error", err, "pause", pause)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		pause = min(2*pause, backoffMax)
	}
}

// follow works off batches until something fails. The order of steps is the promise:
//
//  1. Collect messages and decode them; those that can't be decoded are noted.
//  2. Insert the rows, one native insert a table. Rows that ClickHouse refuses are found by halving and noted. Then say what they were
//     about to those who follow.
//  3. Publish a dead letter for each message noted, and wait until it is stored.
//  4. Store the position, the proof that this warehouse holds the batch; its absence shows a wipe in between.
//  5. Acknowledge the messages.
//
// A crash before 5 repeats the batch: rows replace their equals, dead letters are known by their origin. A crash after
// it loses nothing, because all was stored before.
func (in *Ingest) follow(ctx context.Context, rewind bool) error {
	consumer, err := in.prepare(ctx, rewind)
	if err != nil {
		return err
	}
	messages, err := consumer.Messages(
		jetstream.PullMaxMessagesWithBytesLimit(batchMessagesMax, pullBytesMax),
		jetstream.PullHeartbeat(heartbeat), jetstream.PullExpiry(pullExpiry))
	if err != nil {
		return err
	}
	defer messages.Stop()
	in.following.Store(true)
	in.log.InfoContext(ctx, "following", "stream", natsx.StreamCRM, "after", in.position.sequence)
	batch := newBatch()
	for {
		if err := batch.collect(ctx, messages); err != nil {
			batch.giveBack()
			return err
		}
		if err := in.store(ctx, batch); err != nil {
			batch.giveBack()
			return err
		}
	}
}

// store does steps 2 to 5.
func (in *Ingest) store(ctx context.Context, b *batch) error {
	began := time.Now()
	if err := b.insert(ctx, in.warehouse); err != nil {
		return err
	}
	if err := in.stored(ctx, b.rows.Touched()); err != nil {
		return err
	}
	for i := range b.messages {
		m := &b.messages[i]
		if m.reason == "" {
			continue
		}
		if err := in.letters.put(ctx, in.position.origin(m.sequence), m.letter()); err != nil {
			return err
		}
		in.metrics.deadLetters.Inc()
		in.log.WarnContext(ctx, "put aside", "subject", m.Subject(), "sequence", m.sequence, "reason", m.reason)
	}
	if err := in.keep(ctx, b); err != nil {
		return err
	}
	for i := range b.messages {
		if err := b.messages[i].Ack(); err != nil {
			return err
		}
	}
	in.metrics.stored(b, time.Since(began))
	b.reset()
	return nil
}

// errWiped ends following when the tables were emptied under our feet; prepare then replays the stream.
var errWiped = errors.New("the warehouse lost the position of ingestion: it was emptied")

// keep stores the position. Another process of this service may store its own, so the higher one counts.
func (in *Ingest) keep(ctx context.Context, b *batch) error {
	stored, known, err := in.positions.load(ctx)
	if err != nil {
		return err
	}
	if !known {
		return errWiped
	}
	if stored.streamCreated.Equal(in.position.streamCreated) {
		in.position.advance(stored.sequence, stored.newestChange)
	}
	in.position.advance(b.lastSequence(), b.rows.Newest())
	if err := in.positions.save(ctx, in.position); err != nil {
		return err
	}
	in.newest.Store(microOrZero(in.position.newestChange))
	return nil
}
