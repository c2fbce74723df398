package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/fact"
	"tandem.bank/services/analytics/internal/warehouse"
)

// message is one message of the stream in hand.
type message struct {
	jetstream.Msg
	sequence uint64
	// reason says why it can't be applied; empty when it can.
	reason string
}

// letter wraps the message with its reason.
func (m *message) letter() *eventsv1.DeadLetter {
	return &eventsv1.DeadLetter{
		Subject:        m.Subject(),
		StreamSequence: m.sequence,
		MessageId:      m.Headers().Get(nats.MsgIdHdr),
		Reason:         m.reason,
		FailedTime:     timestamppb.Now(),
		Data:           m.Data(),
	}
}

// batch is what is inserted and acknowledged together.
type batch struct {
	messages []message
	rows     *fact.Batch
}

func newBatch() *batch { return &batch{rows: fact.NewBatch()} }

// collect waits for a first message, and then takes more until the batch is large or old enough.
func (b *batch) collect(ctx context.Context, from jetstream.MessagesContext) error {
	first, err := from.Next(jetstream.NextContext(ctx))
	if err != nil {
		return fmt.Errorf("next message: %w", err)
	}
	if err := b.add(first); err != nil {
		return err
	}
	flushAt := time.Now().Add(flushInterval)
	for b.rows.Rows() < batchRowsMax && len(b.messages) < batchMessagesMax && ctx.Err() == nil {
		wait := time.Until(flushAt)
		if wait <= 0 {
			return nil
		}
		next, err := from.Next(jetstream.NextMaxWait(wait))
		if errors.Is(err, nats.ErrTimeout) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("next message: %w", err)
		}
		if err := b.add(next); err != nil {
			return err
		}
	}
	return nil
}

// add decodes a message into the rows, or notes why that is impossible.
func (b *batch) add(m jetstream.Msg) error {
	meta, err := m.Metadata()
	if err != nil {
		return fmt.Errorf("metadata of a message on %s: %w", m.Subject(), err)
	}
	in := message{Msg: m, sequence: meta.Sequence.Stream}
	var invalid *fact.InvalidError
	switch err := b.rows.Add(m.Data()); {
	case errors.As(err, &invalid):
		in.reason = invalid.Error()
	case err != nil:
		return err
	}
	b.messages = append(b.messages, in)
	return nil
}

// insert writes the rows. When ClickHouse refuses some of them, it finds their messages and notes the reason.
func (b *batch) insert(ctx context.Context, conn driver.Conn) error {
	err := b.rows.Insert(ctx, conn)
	if !warehouse.BadData(err) {
		return err
	}
	good := make([]int, 0, len(b.messages))
	data := make([][]byte, 0, len(b.messages))
	for i, m := range b.messages {
		if m.reason == "" {
			good, data = append(good, i), append(data, m.Data())
		}
	}
	refused, err := apply(ctx, conn, data)
	for index, reason := range refused {
		b.messages[good[index]].reason = reason
	}
	return err
}

// apply decodes and inserts messages; it returns the reason for each index that could not be applied. Halves are
// tried apart, so that one bad message among 20 000 costs some thirty inserts and not 20 000.
func apply(ctx context.Context, conn driver.Conn, data [][]byte) (map[int]string, error) {
	refused := make(map[int]string)
	rows := fact.NewBatch()
	for i, d := range data {
		var invalid *fact.InvalidError
		switch err := rows.Add(d); {
		case errors.As(err, &invalid):
			refused[i] = invalid.Error()
		case err != nil:
			return nil, err
		}
	}
	err := rows.Insert(ctx, conn)
	switch {
	case err == nil:
		return refused, nil
	case !warehouse.BadData(err):
		return nil, err
	case len(data) == 1:
		return map[int]string{0: err.Error()}, nil
	}
	middle := len(data) / 2
	left, err := apply(ctx, conn, data[:middle])
	if err != nil {
		return nil, err
	}
	right, err := apply(ctx, conn, data[middle:])
	if err != nil {
		return nil, err
	}
	for index, reason := range right {
		left[middle+index] = reason
	}
	return left, nil
}

// giveBack asks NATS to deliver what was not stored again, now and not after ackWait. It is only a courtesy: when it
// does not arrive, ackWait does the same.
func (b *batch) giveBack() {
	for _, m := range b.messages {
		_ = m.Nak()
	}
	b.reset()
}

func (b *batch) lastSequence() uint64 {
	var last uint64
	for _, m := range b.messages {
		last = max(last, m.sequence)
	}
	return last
}

func (b *batch) reset() {
	clear(b.messages)
	b.messages = b.messages[:0]
	b.rows.Reset()
}
