package importer

import (
	"context"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/proto"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// bundle is the part of a batch of transactions that travels over one lane.
type bundle struct {
	of      *batch
	records []proto.Message
	// at says where the records stand in the batch.
	at      []int
	results []*crmv1.UpsertResult
	// missing counts the bundles of the batch that are not answered.
	missing *atomic.Int32
}

// deliverLanes is the delivery of transactions. The service works through a stream one bundle after the other; several
// streams keep it and its database busy at the same time. All transactions of an account take the same lane, so they
// arrive in the order of the file, and the balance that an account shows in the end is that of its last row.
func deliverLanes(u upserter, inFlight int, timeout time.Duration, fresh func() *patience) delivery {
	return func(ctx context.Context, in <-chan *batch, out chan<- *batch) error {
		ctx, fail := context.WithCancelCause(ctx)
		defer fail(nil)
		var group sync.WaitGroup
		lanes := make([]chan *bundle, lanesOf(inFlight))
		for i := range lanes {
			lanes[i] = make(chan *bundle)
			// Two bundles a lane: the next one is on its way while the service works on the first.
			s := &streamer{upserter: u, inFlight: 2, timeout: timeout, patience: fresh()}
			group.Go(func() {
				if err := s.run(ctx, lanes[i], func(b *bundle) { b.finish(ctx, out) }); err != nil {
					fail(err)
				}
			})
		}
		spread(ctx, in, lanes, out)
		group.Wait()
		return context.Cause(ctx)
	}
}

// lanesMost is the most streams at the same time.
const lanesMost = 4

func lanesOf(inFlight int) int { return min(inFlight, lanesMost) }

// spread cuts batches into bundles and closes the lanes behind the last.
func spread(ctx context.Context, in <-chan *batch, lanes []chan *bundle, out chan<- *batch) {
	seed := maphash.MakeSeed()
	for b := range in {
		bundles := cut(b, len(lanes), seed)
		if len(b.items) == 0 && !pass(ctx, out, b) {
			break
		}
		for lane, part := range bundles {
			if part == nil {
				continue
			}
			select {
			case lanes[lane] <- part:
			case <-ctx.Done():
			}
		}
	}
	for _, lane := range lanes {
		close(lane)
	}
}

// cut gives each account of the batch its lane.
func cut(b *batch, lanes int, seed maphash.Seed) []*bundle {
	out := make([]*bundle, lanes)
	missing := &atomic.Int32{}
	for i, it := range b.items {
		lane := maphash.Comparable(seed, accountOf(it.record)) % uint64(lanes) //nolint:gosec // lanes are few
		if out[lane] == nil {
			out[lane] = &bundle{of: b, missing: missing}
			missing.Add(1)
		}
		out[lane].records = append(out[lane].records, it.record)
		out[lane].at = append(out[lane].at, i)
	}
	b.results = make([]*crmv1.UpsertResult, len(b.items))
	return out
}

// account is what names the account of a transaction.
type account struct {
	id               int64
	source, external string
}

func accountOf(record proto.Message) account {
	t, ok := record.(*crmv1.Transaction)
	if !ok {
		return account{}
	}
	return account{t.GetAccountId(), t.GetAccountKey().GetSource(), t.GetAccountKey().GetExternalId()}
}

// finish puts the answers where they belong in the batch, and passes it on when it is whole.
func (b *bundle) finish(ctx context.Context, out chan<- *batch) {
	for i, at := range b.at {
		b.of.results[at] = b.results[i]
	}
	if b.missing.Add(-1) == 0 {
		pass(ctx, out, b.of)
	}
}
