package importer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// errStreamEnded is a stream that the service closed before it had answered everything.
var errStreamEnded = errors.New("the service ended the stream early")

// streamer sends bundles of transactions over one stream after another: when one breaks, the bundles that were not
// answered are sent again over the next, in their order.
type streamer struct {
	upserter
	inFlight int
	timeout  time.Duration
	patience *patience

	// pending are the bundles that were sent and not answered, in order.
	pending []*bundle
	closed  bool
}

// run works until `in` is closed and everything is answered.
func (s *streamer) run(ctx context.Context, in <-chan *bundle, done func(*bundle)) error {
	for {
		err := s.session(ctx, in, done)
		if err == nil {
			return nil
		}
		if err := s.patience.wait(ctx, err); err != nil {
			return err
		}
	}
}

// answer is what the service said to one bundle, or how the stream ended.
type answer struct {
	response *crmv1.StreamTransactionsResponse
	err      error
}

// session works over one stream. It returns nil when all is sent and answered.
func (s *streamer) session(parent context.Context, in <-chan *bundle, done func(*bundle)) error {
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	// A stream has no deadline of its own: the watchdog ends it when an answer is due and does not come, also while the
	// connection is not there or sending is stuck.
	watchdog := time.AfterFunc(s.timeout, func() {
		cancel(status.Errorf(codes.DeadlineExceeded, "no answer within %s", s.timeout))
	})
	defer watchdog.Stop()
	err := s.exchange(ctx, watchdog, in, done)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return cause
	}
	return err
}

func (s *streamer) exchange(ctx context.Context, watchdog *time.Timer, in <-chan *bundle, done func(*bundle)) error {
	stream, answers, err := s.open(ctx)
	if err != nil {
		return err
	}
	for answered := int64(0); !s.closed || len(s.pending) > 0; {
		more := in
		if s.closed || len(s.pending) >= s.inFlight {
			more = nil
		}
		if len(s.pending) == 0 {
			watchdog.Stop()
		}
		select {
		case b, ok := <-more:
			if !ok {
				s.closed = true
				continue
			}
			if len(s.pending) == 0 {
				watchdog.Reset(s.timeout)
			}
			s.pending = append(s.pending, b)
			if err := s.send(stream, b); err != nil {
				return err
			}
		case a := <-answers:
			if err := s.settle(a, answered); err != nil {
				return err
			}
			watchdog.Reset(s.timeout)
			answered++
			done(s.pending[0])
			s.pending = s.pending[1:]
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return s.finish(ctx, stream, answers)
}

// finish lets the service end the stream in order; everything has been answered already.
func (s *streamer) finish(ctx context.Context, stream transactionStream, answers <-chan answer) error {
	if err := stream.CloseSend(); err != nil {
		return err
	}
	select {
	case <-answers:
	case <-ctx.Done():
	}
	return nil
}

type transactionStream = grpc.BidiStreamingClient[crmv1.StreamTransactionsRequest, crmv1.StreamTransactionsResponse]

// open begins a stream and sends what the one before has left unanswered.
func (s *streamer) open(ctx context.Context) (transactionStream, <-chan answer, error) {
	stream, err := crmv1.NewTransactionServiceClient(s.conn).StreamTransactions(ctx)
	if err != nil {
		return nil, nil, err
	}
	// Room for an answer to each bundle under way: the receiver never has to wait, so the two sides can't wait for each
	// other.
	answers := make(chan answer, s.inFlight+1)
	go func() {
		for {
			response, err := stream.Recv()
			select {
			case answers <- answer{response, err}:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	for _, b := range s.pending {
		if err := s.send(stream, b); err != nil {
			return nil, nil, err
		}
	}
	return stream, answers, nil
}

// send ignores a broken stream: its reason comes with the answers.
func (s *streamer) send(stream transactionStream, b *bundle) error {
	err := stream.Send(&crmv1.StreamTransactionsRequest{Batch: s.transactions(b.records)})
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// settle notes the answer to the oldest bundle.
func (s *streamer) settle(a answer, want int64) error {
	switch {
	case errors.Is(a.err, io.EOF):
		return errStreamEnded
	case a.err != nil:
		return a.err
	case len(s.pending) == 0 || a.response.GetBatchIndex() != want:
		return fmt.Errorf("the service answered bundle %d when %d was due", a.response.GetBatchIndex(), want)
	case len(a.response.GetResults()) != len(s.pending[0].records):
		return fmt.Errorf("the service answered %d rows of a bundle of %d", len(a.response.GetResults()), len(s.pending[0].records))
	}
	if err := unsettled(a.response.GetResults()); err != nil {
		return err
	}
	s.pending[0].results = a.response.GetResults()
	s.patience.reset()
	return nil
}
