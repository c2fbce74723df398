package search

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"tandem.bank/pkg/lifecycle"
	"tandem.bank/services/crm/internal/attribute"
	"tandem.bank/services/crm/internal/customer"
	"tandem.bank/services/crm/internal/document"
	"tandem.bank/services/crm/internal/record"
	"tandem.bank/services/crm/internal/search/spelling"
)

const (
	// fillRowsMax is how many customers one transaction of the filler locks, and fillDocumentsMax how many documents.
	fillRowsMax      = 2000
	fillDocumentsMax = 50
	// fillInterval is the wait between looks at what there is to prepare. All copies of the service write by a changed
	// definition before the next look: their catalogues are fresher than that.
	fillInterval = 15 * time.Second
)

// Filler prepares what was written before there was a search for it: customers of older spelling rules, those who have an
// attribute that is searched since, or no longer, and documents.
type Filler struct {
	pool      *pgxpool.Pool
	log       *slog.Logger
	index     *Index
	catalogue *attribute.Catalogue
}

// NewFiller binds the filler to its database. It has a catalogue of its own, which it reads anew each time.
func NewFiller(pool *pgxpool.Pool, log *slog.Logger) *Filler {
	catalogue := attribute.NewCatalogue()
	return &Filler{pool: pool, log: log, catalogue: catalogue, index: NewIndex(catalogue)}
}

// Filled counts what was prepared.
type Filled struct{ Customers, Documents int }

// Run fills what is missing until the context ends. After the first time only definitions of attributes leave anything to do:
// whoever writes a customer or a document also indexes it.
func (f *Filler) Run(ctx context.Context) error {
	var seen []string
	done := false
	return lifecycle.Every(ctx, fillInterval, func(ctx context.Context) {
		changed, err := f.changedAttributes(ctx)
		switch {
		case err != nil:
		case !done:
			err = f.fill(ctx)
			done = err == nil
		case len(changed) > 0 && slices.Equal(changed, seen): // everybody knows by now
			err = f.fill(ctx)
		}
		seen = changed
		if err != nil && ctx.Err() == nil {
			f.log.Warn("preparing for the search", "error", err)
		}
	})
}

func (f *Filler) fill(ctx context.Context) error {
	filled, err := f.Fill(ctx)
	if filled != (Filled{}) {
		f.log.Info("prepared for the search", "customers", filled.Customers, "documents", filled.Documents)
	}
	return err
}

// Fill indexes all that needs it.
func (f *Filler) Fill(ctx context.Context) (filled Filled, err error) {
	changed, err := f.changedAttributes(ctx)
	if err != nil {
		return filled, err
	}
	stale, err := fillTable(ctx, f.pool, customer.Table, staleCustomers, fillRowsMax, f.index.Customers, spelling.Rules)
	filled.Customers = stale
	if err != nil {
		return filled, err
	}
	if len(changed) > 0 {
		having, err := fillTable(ctx, f.pool, customer.Table, having, fillRowsMax, f.index.Customers, changed)
		filled.Customers += having
		if err != nil {
			return filled, err
		}
		if _, err := f.pool.Exec(ctx, keepAttributes, changed); err != nil {
			return filled, err
		}
	}
	filled.Documents, err = fillTable(ctx, f.pool, document.Table, staleDocuments, fillDocumentsMax, f.index.Documents)
	return filled, err
}

// changedAttributes are those that are searched and were not, or were and are no longer.
func (f *Filler) changedAttributes(ctx context.Context) ([]string, error) {
	f.catalogue.Forget()
	searched, err := f.catalogue.Searchable(ctx, f.pool)
	if err != nil {
		return nil, err
	}
	rows, err := f.pool.Query(ctx, changedAttributes, searched)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

const (
	changedAttributes = `SELECT coalesce(s.name, w.name) FROM search_attribute s FULL JOIN unnest($1::text[]) AS w (name) ON w.name = s.name
WHERE s.name IS NULL OR w.name IS NULL ORDER BY 1`

	// keepAttributes turns each around: what was not among the words is now, and what was is no longer.
	keepAttributes = `WITH gone AS (DELETE FROM search_attribute WHERE name = ANY($1::text[]) RETURNING name)
INSERT INTO search_attribute SELECT name FROM unnest($1::text[]) AS c (name) WHERE name NOT IN (SELECT name FROM gone)`

	// staleCustomers selects the next customers, by id, whose words are missing or of other rules. It takes the locks of a
	// change, so that no change slips between reading the names and keeping their words; so do the others.
	staleCustomers = `customer_id > $1 AND NOT EXISTS (
    SELECT FROM customer_search s WHERE s.customer_id = customer.customer_id AND s.rules = $3
) ORDER BY customer_id LIMIT $2 FOR NO KEY UPDATE`

	// having selects the next customers with a value of any of the attributes.
	having = `customer_id > $1 AND attributes ?| $3::text[] ORDER BY customer_id LIMIT $2 FOR NO KEY UPDATE`

	// staleDocuments selects the next documents that have no words.
	staleDocuments = `document_id > $1 AND NOT EXISTS (
    SELECT FROM document_search s WHERE s.document_id = document.document_id AND s.part = 0
) ORDER BY document_id LIMIT $2 FOR NO KEY UPDATE`
)

// fillTable has the selected rows of a table indexed, some at a time, and counts them. The selection knows the last id, how
// many are asked for, and further values.
func fillTable[R any](
	ctx context.Context, pool *pgxpool.Pool, table *record.Table[R], selected string, rows int,
	index func(context.Context, pgx.Tx, []*record.Record[R], []*R) error, values ...any,
) (count int, err error) {
	last := int64(0)
	for {
		found := 0
		err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
			records, err := table.Select(ctx, tx, selected, append([]any{last, rows}, values...)...)
			if err != nil || len(records) == 0 {
				return err
			}
			found, last = len(records), records[len(records)-1].ID
			return index(ctx, tx, records, make([]*R, len(records)))
		})
		if err != nil || found == 0 {
			return count, errors.Join(err, ctx.Err())
		}
		count += found
	}
}
