package rounds_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"tandem.bank/services/analytics/internal/rounds"
)

// A wait is over with a whole round: one that was under way when it was asked for is not enough.
func TestWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var r rounds.Rounds
		under := r.Begin()
		roused, over := make(chan struct{}), make(chan error, 1)
		go func() { over <- r.Wait(t.Context(), func() { close(roused) }) }()
		<-roused
		r.Done(under)
		synctest.Wait()
		select {
		case err := <-over:
			t.Fatalf("it was over with the round under way: %v", err)
		default:
		}
		r.Done(r.Begin())
		if err := <-over; err != nil {
			t.Error(err)
		}
	})
}

// Nobody waits where nobody works, nor longer than the context.
func TestWaitInVain(t *testing.T) {
	t.Parallel()
	var r rounds.Rounds
	r.Idle(true)
	if err := r.Wait(t.Context(), func() {}); err != nil {
		t.Error(err)
	}
	r.Idle(false)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Wait(ctx, func() {}); !errors.Is(err, context.Canceled) {
		t.Errorf("it ended with %v", err)
	}
}
