package ingest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/natsx"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
)

const (
	// reasonBytesMax keeps a dead letter within the stream's limit whatever ClickHouse writes into an exception.
	reasonBytesMax = 2 << 10
	loadBatch      = 1000
	loadWait       = time.Second
)

// errNoLetter says that a sequence of CRM_DLQ holds nothing.
var errNoLetter = errors.New("no such dead letter")

// deadLetters is the stream CRM_DLQ as ingestion uses it.
type deadLetters struct {
	js jetstream.JetStream

	mu sync.Mutex
	// known holds the origin of each letter in the stream. The stream's own window for duplicates is minutes; a replay
	// of everything meets messages again that were put aside weeks ago.
	known map[string]struct{}
}

func newDeadLetters(js jetstream.JetStream) *deadLetters {
	return &deadLetters{js: js, known: make(map[string]struct{})}
}

// load reads the origins of all letters.
func (d *deadLetters) load(ctx context.Context) error {
	stream, err := d.stream(ctx)
	if err != nil {
		return err
	}
	known := make(map[string]struct{})
	left := stream.CachedInfo().State.Msgs
	consumer, err := stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{HeadersOnly: true})
	if err != nil {
		return fmt.Errorf("read stream %s: %w", natsx.StreamCRMDLQ, err)
	}
	for left > 0 {
		page, err := consumer.Fetch(int(min(left, loadBatch)), jetstream.FetchMaxWait(loadWait))
		if err != nil {
			return fmt.Errorf("read stream %s: %w", natsx.StreamCRMDLQ, err)
		}
		read := uint64(0)
		for m := range page.Messages() {
			known[originOf(m.Headers())] = struct{}{}
			read++
		}
		if err := page.Error(); err != nil {
			return fmt.Errorf("read stream %s: %w", natsx.StreamCRMDLQ, err)
		}
		if read == 0 {
			break // removed by somebody meanwhile
		}
		left -= min(read, left)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.known = known
	return nil
}

// originOf is the message id up to "/": what follows tells attempts to replay a letter apart.
func originOf(h nats.Header) string {
	origin, _, _ := strings.Cut(h.Get(nats.MsgIdHdr), "/")
	return origin
}

// put stores a letter once for each origin, and returns when NATS has it.
func (d *deadLetters) put(ctx context.Context, origin string, letter *eventsv1.DeadLetter) error {
	d.mu.Lock()
	_, known := d.known[origin]
	d.mu.Unlock()
	if known {
		return nil
	}
	if err := d.publish(ctx, origin, letter); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.known[origin] = struct{}{}
	return nil
}

func (d *deadLetters) publish(ctx context.Context, id string, letter *eventsv1.DeadLetter) error {
	letter.Reason = fit(letter.GetReason(), reasonBytesMax)
	data, err := proto.Marshal(letter)
	if err != nil {
		return fmt.Errorf("encode a dead letter: %w", err)
	}
	// A message may be as large as the stream allows; wrapped it would not fit. Its beginning is enough to see what it
	// is, and the whole stands in its own stream.
	if over := len(data) - natsx.PayloadBytesMax; over > 0 {
		size := len(letter.GetData())
		letter.Data = letter.GetData()[:max(0, size-over-reasonBytesMax)]
		letter.Reason = fmt.Sprintf("%s (the first %d of %d bytes are kept)", letter.GetReason(), len(letter.GetData()), size)
		if data, err = proto.Marshal(letter); err != nil {
			return fmt.Errorf("encode a dead letter: %w", err)
		}
	}
	if _, err := d.js.Publish(ctx, natsx.SubjectDeadLetter, data, jetstream.WithMsgID(id)); err != nil {
		return fmt.Errorf("publish a dead letter: %w", err)
	}
	return nil
}

// storedLetter is a letter in its stream.
type storedLetter struct {
	*eventsv1.DeadLetter
	sequence uint64
	origin   string
}

// list returns letters after a sequence, oldest first.
func (d *deadLetters) list(ctx context.Context, after uint64, limit int) ([]storedLetter, error) {
	stream, err := d.stream(ctx)
	if err != nil {
		return nil, err
	}
	letters := make([]storedLetter, 0, limit)
	for len(letters) < limit {
		// With a subject, a sequence that holds nothing gives the next one that does.
		raw, err := stream.GetMsg(ctx, after+1, jetstream.WithGetMsgSubject(natsx.SubjectDeadLetter))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return letters, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read stream %s: %w", natsx.StreamCRMDLQ, err)
		}
		letters = append(letters, storedLetterOf(raw))
		after = raw.Sequence
	}
	return letters, nil
}

// get returns one letter, or errNoLetter.
func (d *deadLetters) get(ctx context.Context, sequence uint64) (storedLetter, error) {
	if sequence == 0 {
		return storedLetter{}, errNoLetter // sequences count from 1
	}
	stream, err := d.stream(ctx)
	if err != nil {
		return storedLetter{}, err
	}
	raw, err := stream.GetMsg(ctx, sequence)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return storedLetter{}, errNoLetter
	}
	if err != nil {
		return storedLetter{}, fmt.Errorf("read stream %s: %w", natsx.StreamCRMDLQ, err)
	}
	return storedLetterOf(raw), nil
}

// storedLetterOf never fails: what is no letter is shown as one whose content is unknown.
func storedLetterOf(raw *jetstream.RawStreamMsg) storedLetter {
	letter := &eventsv1.DeadLetter{}
	if err := proto.Unmarshal(raw.Data, letter); err != nil {
		letter = &eventsv1.DeadLetter{Reason: "this entry of the stream is not a tandem.events.v1.DeadLetter", Data: raw.Data}
	}
	return storedLetter{DeadLetter: letter, sequence: raw.Sequence, origin: originOf(raw.Header)}
}

// remove takes a letter off the list.
func (d *deadLetters) remove(ctx context.Context, letter storedLetter) error {
	stream, err := d.stream(ctx)
	if err != nil {
		return err
	}
	if err := stream.DeleteMsg(ctx, letter.sequence); err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) {
		return fmt.Errorf("remove a dead letter: %w", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.known, letter.origin)
	return nil
}

// replace gives a letter a new reason; it takes a new place at the end of the list.
func (d *deadLetters) replace(ctx context.Context, letter storedLetter, attempt *eventsv1.DeadLetter) error {
	id := letter.origin + "/" + strconv.FormatInt(attempt.GetFailedTime().AsTime().UnixNano(), 36)
	if err := d.publish(ctx, id, attempt); err != nil {
		return err
	}
	if err := d.remove(ctx, letter); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.known[letter.origin] = struct{}{}
	return nil
}

// count is the number of letters kept.
func (d *deadLetters) count(ctx context.Context) (uint64, error) {
	stream, err := d.stream(ctx)
	if err != nil {
		return 0, err
	}
	return stream.CachedInfo().State.Msgs, nil
}

func (d *deadLetters) stream(ctx context.Context) (jetstream.Stream, error) {
	stream, err := d.js.Stream(ctx, natsx.StreamCRMDLQ)
	if err != nil {
		return nil, fmt.Errorf("look at stream %s: %w", natsx.StreamCRMDLQ, err)
	}
	return stream, nil
}

// fit cuts a text to a number of bytes, between characters.
func fit(s string, bytesMax int) string {
	if len(s) <= bytesMax {
		return s
	}
	return strings.ToValidUTF8(s[:bytesMax], "") + "…"
}
