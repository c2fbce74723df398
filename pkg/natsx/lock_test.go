package natsx_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tandem.bank/pkg/natsx"
	"tandem.bank/pkg/testkit"
)

const lockTTL = 2 * time.Second

// Of several processes one works at a time, and all get their turn.
func TestLocks(t *testing.T) {
	t.Parallel()
	_, js := connect(t, testkit.NATS(t))
	var busy, done atomic.Int32
	var all sync.WaitGroup
	for range 5 {
		locks := natsx.NewLocks(js, lockTTL)
		all.Go(func() {
			err := locks.Wait(t.Context(), "schedule.rfm", func(context.Context) {
				if busy.Add(1) != 1 {
					t.Error("two at a time")
				}
				<-time.After(20 * time.Millisecond)
				busy.Add(-1)
				done.Add(1)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if done.Load() != 5 {
		t.Errorf("%d worked", done.Load())
	}
}

// A lock is kept for longer than its life by renewal, is another's in the meantime for nobody, and of no other name.
func TestLockIsRenewed(t *testing.T) {
	t.Parallel()
	_, js := connect(t, testkit.NATS(t))
	mine, other := natsx.NewLocks(js, lockTTL), natsx.NewLocks(js, lockTTL)
	worked, err := mine.Try(t.Context(), "a", func(ctx context.Context) {
		for range 4 {
			<-time.After(lockTTL / 3)
			if worked, err := other.Try(t.Context(), "a", func(context.Context) { t.Error("worked under another's lock") }); worked || err != nil {
				t.Error(worked, err)
			}
		}
		if worked, err := other.Try(t.Context(), "b", func(context.Context) {}); !worked || err != nil {
			t.Error(worked, err)
		}
		if ctx.Err() != nil {
			t.Error("the lock was lost")
		}
	})
	if !worked || err != nil {
		t.Error(worked, err)
	}
	if worked, err := other.Try(t.Context(), "a", func(context.Context) {}); !worked || err != nil {
		t.Error("it was not given back", worked, err)
	}
}

// The lock of a holder that died goes by its age; a holder whose lock went is told, and does not take it from the next one.
func TestLostLock(t *testing.T) {
	t.Parallel()
	_, js := connect(t, testkit.NATS(t))
	first, second := natsx.NewLocks(js, lockTTL), natsx.NewLocks(js, lockTTL)
	_, err := first.Try(t.Context(), "a", func(ctx context.Context) {
		bucket, err := js.KeyValue(ctx, natsx.BucketLocks)
		if err != nil {
			t.Fatal(err)
		}
		if err := bucket.Purge(ctx, "a"); err != nil { // as if it had stood still for too long
			t.Fatal(err)
		}
		begun, end := make(chan struct{}), make(chan struct{})
		var other sync.WaitGroup
		other.Go(func() {
			if worked, err := second.Try(t.Context(), "a", func(context.Context) { close(begun); <-end }); !worked || err != nil {
				t.Error(worked, err)
			}
		})
		<-begun
		select {
		case <-ctx.Done():
		case <-time.After(2 * lockTTL):
			t.Error("the holder was not told")
		}
		close(end)
		other.Wait()
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A key that nobody renews goes.
func TestDeadHolder(t *testing.T) {
	t.Parallel()
	_, js := connect(t, testkit.NATS(t))
	locks := natsx.NewLocks(js, lockTTL)
	if worked, err := locks.Try(t.Context(), "other", func(context.Context) {}); !worked || err != nil {
		t.Fatal(worked, err) // makes the bucket
	}
	bucket, err := js.KeyValue(t.Context(), natsx.BucketLocks)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bucket.Create(t.Context(), "a", []byte("dead")); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := locks.Wait(t.Context(), "a", func(context.Context) {}); err != nil || time.Since(began) < lockTTL/2 {
		t.Errorf("%v after %s", err, time.Since(began))
	}
}
