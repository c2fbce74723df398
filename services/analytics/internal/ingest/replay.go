package ingest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/natsx"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/fact"
)

// replayPage bounds how many letters are applied together.
const replayPage = 200

// replayed counts what became of letters.
type replayed struct{ applied, failed int }

// replay applies letters again: those named or, when none is, all there are now.
func (in *Ingest) replay(ctx context.Context, sequences []uint64) (replayed, error) {
	if len(sequences) > 0 {
		letters := make([]storedLetter, len(sequences))
		for i, sequence := range sequences {
			letter, err := in.letters.get(ctx, sequence)
			if err != nil {
				return replayed{}, fmt.Errorf("dead letter %d: %w", sequence, err)
			}
			letters[i] = letter
		}
		return in.replayLetters(ctx, letters)
	}
	stream, err := in.letters.stream(ctx)
	if err != nil {
		return replayed{}, err
	}
	// Those that fail again move to the end of the list: without a mark they would be met for ever.
	last := stream.CachedInfo().State.LastSeq
	var sum replayed
	for after := uint64(0); after < last; {
		page, err := in.letters.list(ctx, after, replayPage)
		if err != nil || len(page) == 0 {
			return sum, err
		}
		after = page[len(page)-1].sequence
		for len(page) > 0 && page[len(page)-1].sequence > last {
			page = page[:len(page)-1]
		}
		got, err := in.replayLetters(ctx, page)
		sum.applied += got.applied
		sum.failed += got.failed
		if err != nil {
			return sum, err
		}
	}
	return sum, nil
}

func (in *Ingest) replayLetters(ctx context.Context, letters []storedLetter) (replayed, error) {
	var sum replayed
	var ours []storedLetter
	var data [][]byte
	for _, letter := range letters {
		if !foreign(letter) {
			ours, data = append(ours, letter), append(data, letter.GetData())
			continue
		}
		if err := in.sendBack(ctx, letter); err != nil {
			return sum, err
		}
		sum.applied++
	}
	refused, err := apply(ctx, in.warehouse, data)
	if err != nil {
		return sum, err
	}
	if err := in.tell(ctx, data); err != nil {
		return sum, err
	}
	for i, letter := range ours {
		reason, failed := refused[i]
		if !failed {
			if err := in.letters.remove(ctx, letter); err != nil {
				return sum, err
			}
			sum.applied++
			continue
		}
		sum.failed++
		if fit(reason, reasonBytesMax) == letter.GetReason() {
			continue
		}
		if err := in.letters.replace(ctx, letter, again(letter, reason)); err != nil {
			return sum, err
		}
	}
	return sum, nil
}

// tell says what messages were about; those that can't be decoded are about nothing.
func (in *Ingest) tell(ctx context.Context, data [][]byte) error {
	rows := fact.NewBatch()
	for _, d := range data {
		var invalid *fact.InvalidError
		if err := rows.Add(d); err != nil && !errors.As(err, &invalid) {
			return err
		}
	}
	return in.stored(ctx, rows.Touched())
}

// foreign reports whether another consumer put the letter aside: crm does so with insights.
func foreign(letter storedLetter) bool {
	return strings.HasPrefix(letter.GetSubject(), strings.TrimSuffix(natsx.SubjectInsights, ">"))
}

// sendBack publishes a message of another stream anew: its consumer meets it again, and puts it aside again if need be.
func (in *Ingest) sendBack(ctx context.Context, letter storedLetter) error {
	id := fmt.Sprintf("%s-replay-%d", letter.GetMessageId(), letter.sequence)
	if _, err := in.js.Publish(ctx, letter.GetSubject(), letter.GetData(), jetstream.WithMsgID(id)); err != nil {
		return fmt.Errorf("publish dead letter %d on %s again: %w", letter.sequence, letter.GetSubject(), err)
	}
	return in.letters.remove(ctx, letter)
}

// again is the letter with a new reason.
func again(letter storedLetter, reason string) *eventsv1.DeadLetter {
	return &eventsv1.DeadLetter{
		Subject:        letter.GetSubject(),
		StreamSequence: letter.GetStreamSequence(),
		MessageId:      letter.GetMessageId(),
		Reason:         reason,
		FailedTime:     timestamppb.Now(),
		Data:           letter.GetData(),
	}
}
