// Package operation keeps work that goes on when its caller disconnects: it tells how far it is, can be waited for and
// cancelled, and its outcome is kept for a day. What is kept is a message of the API; each kind of work has its own.
package operation

import (
	"context"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
)

// State is a message that tells of an operation.
type State interface {
	proto.Message
	// GetId returns its id, a UUIDv7.
	GetId() string
	// GetState returns how far it is.
	GetState() analyticsv1.OperationState
	// GetExpireTime returns when it is forgotten.
	GetExpireTime() *timestamppb.Timestamp
}

// answerMargin is how long before a deadline a waiting call answers.
const answerMargin = 250 * time.Millisecond

// Operation is one piece of work.
type Operation[S State] struct {
	mu     sync.Mutex
	state  S
	owner  string
	cancel context.CancelFunc
	ended  chan struct{}
}

// Owner is who began it.
func (o *Operation[S]) Owner() string { return o.owner }

// Snapshot is a copy of its state.
func (o *Operation[S]) Snapshot() S {
	o.mu.Lock()
	defer o.mu.Unlock()
	return proto.CloneOf(o.state)
}

// Change changes its state.
func (o *Operation[S]) Change(by func(S)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	by(o.state)
}

func (o *Operation[S]) running() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.state.GetState() == analyticsv1.OperationState_OPERATION_STATE_RUNNING
}

// Wait waits until the operation ends or the caller's deadline is near, and returns its state then.
func (o *Operation[S]) Wait(ctx context.Context) (state S, err error) {
	var soon <-chan time.Time
	if deadline, ok := ctx.Deadline(); ok {
		soon = time.After(time.Until(deadline) - answerMargin)
	}
	select {
	case <-o.ended:
	case <-soon:
	case <-ctx.Done():
		return state, ctx.Err()
	}
	return o.Snapshot(), nil
}

// End waits until the operation has ended, and returns its state.
func (o *Operation[S]) End() S {
	<-o.ended
	return o.Snapshot()
}

// Abort cancels the operation and does not wait.
func (o *Operation[S]) Abort() { o.cancel() }

// Cancel cancels the operation, and waits until it has let go.
func (o *Operation[S]) Cancel(ctx context.Context) (state S, err error) {
	o.cancel()
	select {
	case <-o.ended:
	case <-ctx.Done():
		return state, ctx.Err()
	}
	return o.Snapshot(), nil
}
