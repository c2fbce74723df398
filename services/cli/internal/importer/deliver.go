package importer

import (
	"context"
	"sync"
	"time"

	"tandem.bank/services/cli/internal/mapping"
)

// delivery sends the batches of a job and passes them on with their answers, in any order. It returns when `in` is closed
// and everything is answered, or with the error that ends the import.
type delivery func(ctx context.Context, in <-chan *batch, out chan<- *batch) error

// deliverUnary sends each batch in a call of its own, several at a time.
func deliverUnary(u upserter, entity mapping.Entity, inFlight int, timeout time.Duration, fresh func() *patience) delivery {
	return func(ctx context.Context, in <-chan *batch, out chan<- *batch) error {
		ctx, fail := context.WithCancelCause(ctx)
		defer fail(nil)
		var group sync.WaitGroup
		for range inFlight {
			group.Go(func() {
				for b := range in {
					if err := sendUnary(ctx, u, entity, b, timeout, fresh()); err != nil {
						fail(err)
						return
					}
					if !pass(ctx, out, b) {
						return
					}
				}
			})
		}
		group.Wait()
		return context.Cause(ctx)
	}
}

// sendUnary sends one batch until it is answered.
func sendUnary(ctx context.Context, u upserter, entity mapping.Entity, b *batch, timeout time.Duration, p *patience) error {
	if len(b.items) == 0 {
		return nil
	}
	records := b.records()
	for {
		err := func() error {
			ctx, cancel := context.WithTimeout(ctx, timeout)
			defer cancel()
			results, err := u.send(ctx, entity, records)
			if err == nil {
				err = unsettled(results)
			}
			b.results = results
			return err
		}()
		if err == nil {
			return nil
		}
		if err := p.wait(ctx, err); err != nil {
			return err
		}
	}
}

// pass hands a batch on unless the work has ended.
func pass(ctx context.Context, out chan<- *batch, b *batch) bool {
	select {
	case out <- b:
		return true
	case <-ctx.Done():
		return false
	}
}
