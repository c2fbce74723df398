package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// connections to crm: one HTTP/2 connection would serialise the frames of all workers.
const connections = 4

// bench is what the measurements share.
type bench struct {
	config Config
	pool   *pgxpool.Pool
	conns  []*grpc.ClientConn
	next   atomic.Int64
}

func openBench(ctx context.Context, config Config, s *stack) (*bench, error) {
	settings, err := pgxpool.ParseConfig(s.postgres.URL())
	if err != nil {
		return nil, err
	}
	settings.MaxConns = int32(config.Workers) //nolint:gosec // at most 64
	settings.MinConns = settings.MaxConns
	b := &bench{config: config}
	if b.pool, err = pgxpool.NewWithConfig(ctx, settings); err != nil {
		return nil, err
	}
	// As after a night: without this the first measurement would share the machine with autovacuum.
	if _, err := b.pool.Exec(ctx, "VACUUM ANALYZE"); err != nil {
		b.close()
		return nil, err
	}
	for range connections {
		conn, err := grpc.NewClient(s.crmAddr, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			b.close()
			return nil, err
		}
		b.conns = append(b.conns, conn)
	}
	return b, nil
}

func (b *bench) close() {
	for _, conn := range b.conns {
		_ = conn.Close()
	}
	b.pool.Close()
}

// work does one unit: a call, or the bare SQL of it. The worker's number picks the connection.
type work func(ctx context.Context, worker int, random *rand.Rand) error

// compare lets crm and bare SQL take turns and returns the ratio of what they got done.
func (b *bench) compare(ctx context.Context, c measured) (Result, error) {
	call, bare := c.call(b), c.bare(b)
	for _, w := range []work{bare, call} { // warms up statements and caches
		if _, err := b.saturate(ctx, w, b.config.Slice/2); err != nil {
			return Result{}, err
		}
	}
	var calls, bares float64
	for round := range b.config.Rounds {
		done, err := b.saturate(ctx, bare, b.config.Slice)
		if err != nil {
			return Result{}, fmt.Errorf("bare SQL: %w", err)
		}
		bares += done
		if done, err = b.saturate(ctx, call, b.config.Slice); err != nil {
			return Result{}, err
		}
		calls += done
		say("%s: turn %d of %d, ratio %.2f", c.name, round+1, b.config.Rounds, calls/bares)
	}
	rounds := float64(b.config.Rounds)
	return atLeast(c.name, calls/rounds, bares/rounds, "calls/s", c.goal), nil
}

// saturate keeps all workers busy for a while and returns units a second.
func (b *bench) saturate(ctx context.Context, w work, length time.Duration) (float64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	begun := time.Now()
	deadline := begun.Add(length)
	var done atomic.Int64
	var failed error
	var once sync.Once
	var group sync.WaitGroup
	for worker := range b.config.Workers {
		group.Go(func() {
			random := newRandom(worker)
			for time.Now().Before(deadline) {
				if err := w(ctx, worker, random); err != nil {
					once.Do(func() { failed = err; cancel() })
					return
				}
				done.Add(1)
			}
		})
	}
	group.Wait()
	return float64(done.Load()) / time.Since(begun).Seconds(), failed
}

// latency asks for screens at a steady pace and returns the 99th percentile of the time to the answer, counted from the
// moment at which the call was due: a call that had to wait for a free worker counts its waiting.
func (b *bench) latency(ctx context.Context, rate float64) (Result, error) {
	call := screenCall(b)
	total := int(rate * b.config.Slice.Seconds() * float64(b.config.Rounds))
	say("GetCustomer360 at half of saturation: %d calls, %.0f a second", total, rate)
	took := make([]time.Duration, total)
	begun := time.Now()
	var failed error
	var once sync.Once
	var group sync.WaitGroup
	var next atomic.Int64
	for worker := range 2 * b.config.Workers {
		group.Go(func() {
			random := newRandom(worker)
			for {
				n := int(next.Add(1)) - 1
				if n >= total || ctx.Err() != nil {
					return
				}
				due := begun.Add(time.Duration(float64(n) / rate * float64(time.Second)))
				pause(ctx, time.Until(due))
				if err := call(ctx, worker, random); err != nil {
					once.Do(func() { failed = err })
					return
				}
				took[n] = time.Since(due)
			}
		})
	}
	group.Wait()
	if failed != nil {
		return Result{}, failed
	}
	slices.Sort(took)
	p99 := took[min(total-1, total*99/100)]
	return atMost("GetCustomer360 p99 at half of saturation", float64(p99.Microseconds())/1000, "ms", 10), ctx.Err()
}

func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// newRandom gives each worker a sequence of its own, the same in every turn.
func newRandom(worker int) *rand.Rand {
	return rand.New(rand.NewPCG(uint64(worker), 360)) //nolint:gosec // chooses rows to measure, no secret
}
