// Package search finds customers by what people type. It reads from the other rooms; of its own it keeps the words of
// names, which it writes as a follower of the customers' room, in the same transaction.
package search

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"tandem.bank/pkg/page"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/attribute"
)

// Server answers tandem.crm.v1.SearchService.
type Server struct {
	crmv1.UnimplementedSearchServiceServer
	pool      *pgxpool.Pool
	catalogue *attribute.Catalogue
}

// NewServer binds the room to its database.
func NewServer(pool *pgxpool.Pool) *Server {
	return &Server{pool: pool, catalogue: attribute.NewCatalogue()}
}

// With gives the room the catalogue that the definitions of attributes are changed by: it sees their changes at once.
func (s *Server) With(catalogue *attribute.Catalogue) *Server {
	s.catalogue = catalogue
	return s
}

// settings of a search. Statements of some milliseconds gain nothing from being compiled first. And no table and no index is
// read from end to end, whatever Postgres expects of words that it has no statistics of: that leaves the indexes that fit,
// and joins that look up one row for each.
const settings = `SET LOCAL jit = off; SET LOCAL enable_seqscan = off; SET LOCAL enable_indexonlyscan = off;
SET LOCAL enable_mergejoin = off; SET LOCAL enable_hashjoin = off`

// snapshot begins a search: all its statements see the same customers.
var snapshot = pgx.TxOptions{BeginQuery: "BEGIN READ ONLY ISOLATION LEVEL REPEATABLE READ; " + settings}

// SearchCustomers finds customers by free text, the best first.
func (s *Server) SearchCustomers(ctx context.Context, req *crmv1.SearchCustomersRequest) (*crmv1.SearchCustomersResponse, error) {
	after, err := decode(req)
	if err != nil {
		return nil, err
	}
	answer := &crmv1.SearchCustomersResponse{}
	err = pgx.BeginTxFunc(ctx, s.pool, snapshot, func(tx pgx.Tx) error {
		find, err := newSearch(ctx, tx, req, s.catalogue)
		if err != nil {
			return err
		}
		size := page.Size(req.GetPageSize())
		hits, err := find.run(ctx, after, size+1)
		if err != nil {
			return err
		}
		end := find.stopped
		if len(hits) > size {
			hits, end = hits[:size], &hits[size-1]
		}
		if end != nil {
			if answer.NextPageToken, err = encode(*end, req); err != nil {
				return err
			}
		}
		answer.Hits, err = find.show(ctx, hits)
		return err
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}
