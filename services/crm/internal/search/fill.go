package search

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"tandem.bank/services/crm/internal/customer"
	"tandem.bank/services/crm/internal/search/spelling"
)

const (
	// fillRowsMax is how many customers one transaction of the filler locks.
	fillRowsMax = 2000
	// fillRetryInterval is the wait after an error of the database.
	fillRetryInterval = 10 * time.Second
)

// Filler prepares the customers who were written before there was a search, or by older spelling rules.
type Filler struct {
	pool *pgxpool.Pool
	log  *slog.Logger
}

// NewFiller binds the filler to its database.
func NewFiller(pool *pgxpool.Pool, log *slog.Logger) *Filler { return &Filler{pool: pool, log: log} }

// Run fills what is missing and then waits for the end of the context: whoever writes a customer later also indexes it.
func (f *Filler) Run(ctx context.Context) error {
	for {
		count, err := f.Fill(ctx)
		if err == nil {
			if count > 0 {
				f.log.Info("customers prepared for the search", "customers", count)
			}
			<-ctx.Done()
			return nil
		}
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the end that was asked for
		}
		f.log.Warn("preparing customers for the search", "error", err)
		retry := time.NewTimer(fillRetryInterval)
		select {
		case <-ctx.Done():
		case <-retry.C:
		}
		retry.Stop()
	}
}

// stale selects the next customers, by id, whose words are missing or of other rules. It takes the locks of a change, so
// that no change slips between reading the names and keeping their words.
const stale = `customer_id > $1 AND NOT EXISTS (
    SELECT FROM customer_search s WHERE s.customer_id = customer.customer_id AND s.rules = $2
) ORDER BY customer_id LIMIT $3 FOR NO KEY UPDATE`

// Fill indexes all customers that need it, and returns how many did.
func (f *Filler) Fill(ctx context.Context) (count int, err error) {
	last := int64(0)
	for {
		found := 0
		err := pgx.BeginFunc(ctx, f.pool, func(tx pgx.Tx) error {
			customers, err := customer.Table.Select(ctx, tx, stale, last, spelling.Rules, fillRowsMax)
			if err != nil || len(customers) == 0 {
				return err
			}
			found, last = len(customers), customers[len(customers)-1].ID
			return Index(ctx, tx, customers, make([]*customer.Row, len(customers)))
		})
		if err != nil || found == 0 {
			return count, errors.Join(err, ctx.Err())
		}
		count += found
	}
}
