package insight

import (
	"context"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/natsx"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
)

// reasonBytesMax keeps a dead letter within the size of a message, with the original in it.
const reasonBytesMax = 2 << 10

// putAside moves a message to the dead letters: 1. store it there, 2. tell the stream not to deliver it again.
func (c *Consumer) putAside(ctx context.Context, message jetstream.Msg, cause error) error {
	meta, err := message.Metadata()
	if err != nil {
		return fmt.Errorf("read metadata: %w", err)
	}
	letter := &eventsv1.DeadLetter{
		Subject:        message.Subject(),
		StreamSequence: meta.Sequence.Stream,
		MessageId:      message.Headers().Get(jetstream.MsgIDHeader),
		Reason:         strings.ToValidUTF8(cause.Error()[:min(len(cause.Error()), reasonBytesMax)], ""),
		FailedTime:     timestamppb.Now(),
		Data:           message.Data(),
	}
	data, err := proto.Marshal(letter)
	if err != nil {
		return fmt.Errorf("serialise the dead letter: %w", err)
	}
	// The same id each time: a crash between the steps doubles nothing.
	id := fmt.Sprintf("dead-letter:%s:%d", meta.Stream, meta.Sequence.Stream)
	if _, err := c.config.JetStream.Publish(ctx, natsx.SubjectDeadLetter, data, jetstream.WithMsgID(id)); err != nil {
		return fmt.Errorf("store the dead letter: %w", err)
	}
	c.metrics.deadLetters.Inc()
	c.log.Error("insight can't be applied and was put aside", "subject", letter.GetSubject(),
		"stream_sequence", letter.GetStreamSequence(), "error", cause)
	return wrapAck(message.TermWithReason("put aside in " + natsx.StreamCRMDLQ))
}
