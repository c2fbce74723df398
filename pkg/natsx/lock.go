package natsx

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"
)

const (
	// BucketLocks is the key-value bucket of locks.
	BucketLocks = "LOCKS"
	// LockTTLDefault is how long a lock outlives a process that held it and died.
	LockTTLDefault = 30 * time.Second
	// lockRenewals is how often a lock is renewed within its life.
	lockRenewals = 4
	// lockRetry is how soon Wait tries again.
	lockRetry = time.Second
)

// Locks let one of several processes do something at a time. A lock is a key of a JetStream bucket that its holder renews; when
// the holder dies, the key goes by its age. As with every such lock, a holder that stands still for longer than that and comes
// back may overlap with the next one for a moment: what is done under a lock must bear being done twice.
type Locks struct {
	js     jetstream.JetStream
	ttl    time.Duration
	holder string
	mu     sync.Mutex
	bucket jetstream.KeyValue
}

// NewLocks returns locks that outlive a dead holder by ttl; 0 means LockTTLDefault. All processes must name the same.
func NewLocks(js jetstream.JetStream, ttl time.Duration) *Locks {
	if ttl == 0 {
		ttl = LockTTLDefault
	}
	return &Locks{js: js, ttl: ttl, holder: nuid.Next()}
}

// Try works under a lock unless another process, or another caller, holds it; it says whether it did. The context of the work
// ends when the lock is lost. The error is for what kept it from finding out who holds the lock.
func (l *Locks) Try(ctx context.Context, name string, work func(ctx context.Context)) (worked bool, err error) {
	bucket, err := l.open(ctx)
	if err != nil {
		return false, err
	}
	revision, err := bucket.Create(ctx, name, []byte(l.holder))
	if errors.Is(err, jetstream.ErrKeyExists) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("lock %s: %w", name, err)
	}
	held, lost := context.WithCancel(ctx)
	defer lost()
	last := make(chan uint64, 1)
	go func() {
		defer lost()
		last <- l.renew(held, bucket, name, revision)
	}()
	work(held)
	lost()
	// Given back only as it was last written: it may be another's by now.
	free, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.ttl)
	defer cancel()
	_ = bucket.Delete(free, name, jetstream.LastRevision(<-last)) // what can't be deleted goes by its age
	return true, nil
}

// Wait is Try that waits for its turn.
func (l *Locks) Wait(ctx context.Context, name string, work func(ctx context.Context)) error {
	for {
		worked, err := l.Try(ctx, name, work)
		if worked || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lockRetry):
		}
	}
}

// renew writes the key again and again until the context ends or the lock is lost, and returns the last revision.
func (l *Locks) renew(ctx context.Context, bucket jetstream.KeyValue, name string, revision uint64) uint64 {
	ticker := time.NewTicker(l.ttl / lockRenewals)
	defer ticker.Stop()
	for written := time.Now(); ; {
		select {
		case <-ctx.Done():
			return revision
		case <-ticker.C:
		}
		began := time.Now()
		next, err := bucket.Update(ctx, name, []byte(l.holder), revision)
		switch {
		case err == nil:
			revision, written = next, began
		case errors.Is(err, jetstream.ErrKeyExists), time.Since(written) > l.ttl*(lockRenewals-1)/lockRenewals:
			return revision // another has written it, or may soon
		}
	}
}

// open finds the bucket or makes it, on as many servers as the streams have.
func (l *Locks) open(ctx context.Context) (jetstream.KeyValue, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bucket != nil {
		return l.bucket, nil
	}
	replicas := 1
	if stream, err := l.js.Stream(ctx, StreamCRM); err == nil {
		replicas = stream.CachedInfo().Config.Replicas
	}
	bucket, err := l.js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
		Bucket: BucketLocks, Description: "What one process does at a time, and which", TTL: l.ttl, History: 1, Replicas: replicas,
	})
	if err != nil {
		return nil, fmt.Errorf("ensure bucket %s: %w", BucketLocks, err)
	}
	l.bucket = bucket
	return bucket, nil
}
