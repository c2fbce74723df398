package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/grpc"

	"tandem.bank/deploy/e2e/bench/benchkit"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// connections to crm: one HTTP/2 connection would serialise the frames of all workers.
const connections = 4

// bench is what the measurements share.
type bench struct {
	config Config
	stack  *stack
	pool   *pgxpool.Pool
	conns  []*grpc.ClientConn
	next   atomic.Int64
	// searched are the statements of a search.
	searched []statement
	// payloads are events of entities, as crm leaves them.
	mu       sync.Mutex
	payloads map[string][]byte
}

func openBench(ctx context.Context, config Config, s *stack) (*bench, error) {
	settings, err := pgxpool.ParseConfig(s.postgres.URL())
	if err != nil {
		return nil, err
	}
	settings.MaxConns = int32(config.Workers) //nolint:gosec // at most 64
	settings.MinConns = settings.MaxConns
	b := &bench{config: config, stack: s, payloads: map[string][]byte{}}
	if b.searched, err = readSearch(); err != nil {
		return nil, err
	}
	if b.pool, err = pgxpool.NewWithConfig(ctx, settings); err != nil {
		return nil, err
	}
	for _, prepare := range []func(context.Context) error{b.settle, b.warm} {
		if err := prepare(ctx); err != nil {
			b.close()
			return nil, err
		}
	}
	for range connections {
		conn, err := benchkit.Dial(s.crmAddr, s.keyFile)
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

// settle makes the bank as it is after a night: what was written so far is published, and vacuumed, and on the disk.
// Otherwise the next measurement would share the machine with the relay, with autovacuum and with a checkpoint.
func (b *bench) settle(ctx context.Context) error {
	var written string
	if err := b.pool.QueryRow(ctx, "SELECT pg_current_wal_insert_lsn()::text").Scan(&written); err != nil {
		return err
	}
	for published := false; !published; {
		err := b.pool.QueryRow(ctx, "SELECT bool_and(confirmed_flush_lsn >= $1::text::pg_lsn) FROM pg_replication_slots", written).Scan(&published)
		if err != nil {
			return fmt.Errorf("wait for the relay: %w", err)
		}
		pause(ctx, 100*time.Millisecond)
	}
	for _, sql := range []string{"VACUUM ANALYZE", "CHECKPOINT"} {
		if _, err := b.pool.Exec(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}

// warm reads the bank once, as everything that people ask for has been read in the middle of a day. Otherwise the first
// measurements would be those of a disk.
func (b *bench) warm(ctx context.Context) error {
	if _, err := b.pool.Exec(ctx, "CREATE EXTENSION IF NOT EXISTS pg_prewarm"); err != nil {
		return err
	}
	var pages int64
	err := b.pool.QueryRow(ctx, `SELECT sum(pg_prewarm(oid, 'read')) FROM pg_class WHERE relkind IN ('r', 'i', 't')`).Scan(&pages)
	if err != nil {
		return fmt.Errorf("read the bank: %w", err)
	}
	benchkit.Say("the bank has %d MB", pages/128)
	return nil
}

// work does one unit: a call, or the bare SQL of it. The worker's number picks the connection.
type work func(ctx context.Context, worker int, random *rand.Rand) error

// compare lets crm and bare SQL take turns and returns the ratio of what they got done, and the one to the other baseline.
func (b *bench) compare(ctx context.Context, c measured) (benchkit.Results, error) {
	call := c.call(b)
	calls, bares, err := b.against(ctx, c.name, call, c.bare(b))
	if err != nil {
		return nil, err
	}
	results := benchkit.Results{benchkit.RatioAtLeast(c.name, calls, bares, "calls/s", c.goal)}
	name := c.name + ", against " + c.apart
	calls, bares, err = b.against(ctx, name, call, c.beside(b))
	return append(results, benchkit.Beside(name, calls, bares, "calls/s")), err
}

// against lets both sides take turns, and returns the turn in the middle: on a machine with other work on it, one side may meet
// a pause that the other does not.
func (b *bench) against(ctx context.Context, name string, call, bare work) (calls, bares float64, err error) {
	for _, w := range []work{bare, call} { // warms up statements and caches
		if _, err := b.saturate(ctx, w, b.config.Slice/2); err != nil {
			return 0, 0, err
		}
	}
	var turns [][2]float64
	for round := range b.config.Rounds {
		if bares, err = b.turn(ctx, name+", bare SQL", bare); err != nil {
			return 0, 0, fmt.Errorf("bare SQL: %w", err)
		}
		if calls, err = b.turn(ctx, name, call); err != nil {
			return 0, 0, err
		}
		turns = append(turns, [2]float64{calls, bares})
		benchkit.Say("%s: turn %d of %d, ratio %.2f", name, round+1, b.config.Rounds, calls/bares)
	}
	slices.SortFunc(turns, func(a, b [2]float64) int { return cmp.Compare(a[0]/a[1], b[0]/b[1]) })
	middle := turns[len(turns)/2]
	return middle[0], middle[1], nil
}

// turn keeps all workers busy for one turn, and tells what each unit cost.
func (b *bench) turn(ctx context.Context, name string, w work) (float64, error) {
	before := b.stack.cpu()
	rate, err := b.saturate(ctx, w, b.config.Slice)
	benchkit.Say("%s: %.0f a second, each %s", name, rate, b.stack.cpu().per(before, rate*b.config.Slice.Seconds()))
	return rate, err
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

// late is a call whose answers must come in time.
type late struct {
	name string
	call func(*bench) work
	// bare is the bare SQL of it, at the same pace; nil when what is asked differs from call to call.
	bare func(*bench) work
	// goal is the largest 99th percentile, in milliseconds.
	goal float64
}

var lates = []late{
	{"GetCustomer360", screenCall, audited(screenRead, crmv1.Customer360Service_GetCustomer360_FullMethodName), 10},
	{"SearchCustomers, first page", searchAny, nil, 50},
}

// percentiles of the time to the answer.
type percentiles struct{ p50, p99 time.Duration }

// latency calls at half of the pace that crm can keep up, and returns the percentiles of the time to the answer. Each turn
// finds that pace anew, and the median of the turns counts: on a machine with other work on it, both change from one moment
// to the next.
func (b *bench) latency(ctx context.Context, l late) ([]benchkit.Result, error) {
	if err := b.settle(ctx); err != nil {
		return nil, err
	}
	var p50s, p99s, bares []time.Duration
	call := l.call(b)
	for round := range b.config.Rounds {
		most, err := b.saturate(ctx, call, b.config.Slice)
		if err != nil {
			return nil, err
		}
		took, err := b.paced(ctx, call, most/2)
		if err != nil {
			return nil, err
		}
		benchkit.Say("%s at %.0f a second: turn %d of %d, p50 %s, p99 %s", l.name, most/2, round+1, b.config.Rounds, took.p50, took.p99)
		p50s, p99s = append(p50s, took.p50), append(p99s, took.p99)
		if l.bare == nil {
			continue
		}
		if took, err = b.paced(ctx, l.bare(b), most/2); err != nil {
			return nil, err
		}
		benchkit.Say("%s, bare SQL at the same pace: p50 %s, p99 %s", l.name, took.p50, took.p99)
		bares = append(bares, took.p99)
	}
	results := []benchkit.Result{
		benchkit.AtMost(l.name+" p50 at half of saturation", median(p50s), "ms", l.goal),
		benchkit.AtMost(l.name+" p99 at half of saturation", median(p99s), "ms", l.goal),
	}
	if l.bare != nil {
		results = append(results, benchkit.Plain(l.name+" p99 of bare SQL at that pace", median(bares), "ms"))
	}
	return results, nil
}

// median is in milliseconds.
func median(times []time.Duration) float64 {
	slices.Sort(times)
	return float64(times[len(times)/2].Microseconds()) / 1000
}

// paced calls at a steady pace. Time counts from the moment at which a call was due: one that had to wait for a free worker
// counts its waiting. A worker that was free and was woken late, on a machine that it shares with what it measures, has not
// called yet: no caller would feel that, and it does not count.
func (b *bench) paced(ctx context.Context, call work, rate float64) (percentiles, error) {
	total := max(100, int(rate*b.config.Slice.Seconds()))
	took := make([]time.Duration, total)
	begun := time.Now()
	var err error
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
				if early := time.Until(due); early > 0 {
					pause(ctx, early)
					due = time.Now()
				}
				if failed := call(ctx, worker, random); failed != nil {
					once.Do(func() { err = failed })
					return
				}
				took[n] = time.Since(due)
			}
		})
	}
	group.Wait()
	if err != nil || ctx.Err() != nil {
		return percentiles{}, errors.Join(err, ctx.Err())
	}
	slices.Sort(took)
	return percentiles{p50: took[total/2], p99: took[total*99/100]}, nil
}

func pause(ctx context.Context, d time.Duration) {
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
