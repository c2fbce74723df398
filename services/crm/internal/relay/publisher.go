package relay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/semaphore"

	"tandem.bank/pkg/natsx"
	"tandem.bank/services/crm/internal/relay/pgoutput"
)

// event is one row of the outbox.
type event struct {
	id      string
	entity  string
	deleted bool
	payload []byte
}

// publisher sends events without waiting for each, and settles their acknowledgements in the order of sending.
type publisher struct {
	relay *Relay
	js    jetstream.JetStream
	// queue holds what is in flight, in order; its capacity is the bound on messages.
	queue chan pending
	bytes *semaphore.Weighted
}

// pending is either a message in flight or a mark behind messages.
type pending struct {
	future     jetstream.PubAckFuture
	size       int64
	commitTime time.Time
	// lsn may be confirmed when everything before the mark is acknowledged.
	lsn pgoutput.LSN
	// reached, if set, is closed then.
	reached chan struct{}
}

func newPublisher(r *Relay) *publisher {
	return &publisher{
		relay: r, js: r.js,
		queue: make(chan pending, r.config.MessagesInFlight),
		bytes: semaphore.NewWeighted(r.config.BytesInFlight),
	}
}

// publish sends an event; it waits while too much is in flight. It may be called from one goroutine only.
func (p *publisher) publish(ctx context.Context, e event, commitTime time.Time) error {
	size := int64(len(e.payload))
	if size > natsx.PayloadBytesMax {
		return fmt.Errorf("event %s: %d bytes do not fit into a message", e.id, size)
	}
	if err := p.bytes.Acquire(ctx, size); err != nil {
		return err
	}
	message := &nats.Msg{
		Subject: natsx.ChangeSubject(e.entity, e.deleted),
		Header:  nats.Header{jetstream.MsgIDHeader: []string{e.id}},
		Data:    e.payload,
	}
	// No retries in the client: it would send again behind what was sent since.
	future, err := p.js.PublishMsgAsync(message, jetstream.WithRetryAttempts(0))
	if err != nil {
		return fmt.Errorf("publish event %s: %w", e.id, err)
	}
	return p.enqueue(ctx, pending{future: future, size: size, commitTime: commitTime})
}

// mark lets lsn be confirmed once everything sent before is acknowledged.
func (p *publisher) mark(ctx context.Context, lsn pgoutput.LSN) error {
	return p.enqueue(ctx, pending{lsn: lsn})
}

// flush waits until everything sent before is acknowledged.
func (p *publisher) flush(ctx context.Context) error {
	reached := make(chan struct{})
	if err := p.enqueue(ctx, pending{reached: reached}); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-reached:
		return nil
	}
}

func (p *publisher) enqueue(ctx context.Context, item pending) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case p.queue <- item:
		return nil
	}
}

// settle waits for the acknowledgements one after the other and reports marks. The first message that fails ends it:
// the session is over then, and everything that is not confirmed is sent again, in order.
func (p *publisher) settle(ctx context.Context, confirm func(pgoutput.LSN)) error {
	for {
		var item pending
		select {
		case <-ctx.Done():
			return ctx.Err()
		case item = <-p.queue:
		}
		if item.future != nil {
			if err := p.await(ctx, item); err != nil {
				return err
			}
		}
		if item.lsn != 0 {
			confirm(item.lsn)
		}
		if item.reached != nil {
			close(item.reached)
		}
		if len(p.queue) == 0 {
			p.relay.oldest.Store(0)
		}
	}
}

func (p *publisher) await(ctx context.Context, item pending) error {
	if !item.commitTime.IsZero() {
		p.relay.oldest.Store(item.commitTime.UnixNano())
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case err := <-item.future.Err():
		return fmt.Errorf("publish to %s: %w", item.future.Msg().Subject, err)
	case ack := <-item.future.Ok():
		// A foreign stream over the same subject would swallow our events.
		if ack.Stream != natsx.StreamCRM {
			return errors.New("published to stream " + ack.Stream + " instead of " + natsx.StreamCRM)
		}
	}
	p.bytes.Release(item.size)
	p.relay.published.Add(1)
	if !item.commitTime.IsZero() {
		p.relay.commitTime.Store(item.commitTime.UnixNano())
	}
	return nil
}
