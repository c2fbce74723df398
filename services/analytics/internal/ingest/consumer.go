package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"tandem.bank/pkg/natsx"
)

// consumerConfig starts after a sequence; 0 means with the first message that the stream still has.
func consumerConfig(after uint64) jetstream.ConsumerConfig {
	c := jetstream.ConsumerConfig{
		Durable:       durable,
		Description:   "Ingestion of changes into the warehouse",
		DeliverPolicy: jetstream.DeliverAllPolicy,
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       ackWait,
		MaxAckPending: ackPendingMax,
		MaxDeliver:    -1, // what can't be applied is put aside by us, never dropped by the server
	}
	if after > 0 {
		c.DeliverPolicy, c.OptStartSeq = jetstream.DeliverByStartSequencePolicy, after+1
	}
	return c
}

// prepare looks at both sides and returns a consumer that matches the warehouse.
//
// The consumer remembers what was acknowledged, the warehouse what was stored. Normally the warehouse is at or ahead
// of the consumer, because it is written first. When it is not, it was emptied or restored, or the stream is another
// one: then the consumer is made anew and the whole stream is replayed, which is harmless for rows already there.
func (in *Ingest) prepare(ctx context.Context, rewind bool) (jetstream.Consumer, error) {
	if err := natsx.EnsureStreams(ctx, in.js); err != nil {
		return nil, err
	}
	stream, err := in.js.Stream(ctx, natsx.StreamCRM)
	if err != nil {
		return nil, fmt.Errorf("look at stream %s: %w", natsx.StreamCRM, err)
	}
	streamInfo := stream.CachedInfo()
	stored, known, err := in.positions.load(ctx)
	if err != nil {
		return nil, err
	}
	if err := in.letters.load(ctx); err != nil {
		return nil, err
	}
	consumer, err := stream.Consumer(ctx, durable)
	missing := errors.Is(err, jetstream.ErrConsumerNotFound)
	if err != nil && !missing {
		return nil, fmt.Errorf("look at consumer %s: %w", durable, err)
	}
	created := streamInfo.Created.UTC()
	same := known && stored.streamCreated.Equal(created)
	switch {
	case missing:
		return in.begin(ctx, stream, created, stored, 0)
	case !same:
		in.log.WarnContext(ctx, "the warehouse does not know this stream; replaying all of it")
		return in.begin(ctx, stream, created, stored, 0)
	}
	info := consumer.CachedInfo()
	floor := info.AckFloor.Stream
	switch {
	case floor > stored.sequence || floor > streamInfo.State.LastSeq:
		in.log.WarnContext(ctx, "the consumer is ahead of the warehouse or of the stream; replaying all of it",
			"acknowledged", floor, "stored", stored.sequence, "last", streamInfo.State.LastSeq)
		return in.begin(ctx, stream, created, stored, 0)
	case rewind && (info.NumAckPending > 0 || outdated(info.Config)):
		// Messages that a dead process had in hand would come only after ackWait.
		return in.begin(ctx, stream, created, stored, floor)
	}
	in.position = stored
	in.newest.Store(microOrZero(stored.newestChange))
	return consumer, nil
}

// begin makes the consumer anew, to start after a sequence, and then writes down that the warehouse knows it. A crash
// in between begins again: the consumer without its row, or the row without its consumer, leads here.
func (in *Ingest) begin(ctx context.Context, stream jetstream.Stream, created time.Time, stored position, after uint64) (jetstream.Consumer, error) {
	if err := stream.DeleteConsumer(ctx, durable); err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
		return nil, fmt.Errorf("delete consumer %s: %w", durable, err)
	}
	consumer, err := stream.CreateConsumer(ctx, consumerConfig(after))
	if err != nil {
		return nil, fmt.Errorf("create consumer %s: %w", durable, err)
	}
	next := position{streamCreated: created, newestChange: stored.newestChange}
	// A stream that lost its oldest messages to age starts above 0; the new consumer counts those as done.
	next.sequence = consumer.CachedInfo().AckFloor.Stream
	if after > 0 {
		next.sequence = stored.sequence
	}
	if err := in.positions.save(ctx, next); err != nil {
		return nil, err
	}
	in.position = next
	in.newest.Store(microOrZero(next.newestChange))
	return consumer, nil
}

// outdated reports whether an older version of this program made the consumer.
func outdated(c jetstream.ConsumerConfig) bool {
	want := consumerConfig(0)
	return c.AckPolicy != want.AckPolicy || c.AckWait != want.AckWait || c.MaxAckPending != want.MaxAckPending ||
		c.MaxDeliver != want.MaxDeliver || len(c.FilterSubjects) > 0 || c.FilterSubject != ""
}

func microOrZero(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// progress is how far the stream was followed.
type progress struct {
	// done: every message up to this sequence is stored or put aside.
	done uint64
	// pending messages still wait.
	pending uint64
}

// errNotFollowing says that the consumer's state can't be trusted at the moment.
var errNotFollowing = errors.New("ingestion is starting, or waits for ClickHouse or NATS")

// progress asks NATS. The stream is read before the consumer: what the consumer then has left nothing of, is done.
func (in *Ingest) progress(ctx context.Context) (progress, error) {
	if !in.following.Load() {
		return progress{}, errNotFollowing
	}
	stream, err := in.js.Stream(ctx, natsx.StreamCRM)
	if err != nil {
		return progress{}, fmt.Errorf("look at stream %s: %w", natsx.StreamCRM, err)
	}
	last := stream.CachedInfo().State.LastSeq
	consumer, err := stream.Consumer(ctx, durable)
	if err != nil {
		return progress{}, fmt.Errorf("look at consumer %s: %w", durable, err)
	}
	info := consumer.CachedInfo()
	waiting := info.NumPending + uint64(max(info.NumAckPending, 0))
	if waiting == 0 {
		return progress{done: last}, nil
	}
	return progress{done: info.AckFloor.Stream, pending: waiting}, nil
}
