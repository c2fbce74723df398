package timeline

import (
	"context"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/page"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/customer"
	"tandem.bank/services/crm/internal/record"
)

// Server answers tandem.crm.v1.TimelineService.
type Server struct {
	crmv1.UnimplementedTimelineServiceServer
	pool     *pgxpool.Pool
	location *time.Location
}

// NewServer binds the room to its database and the bank's time zone.
func NewServer(pool *pgxpool.Pool, location *time.Location) *Server {
	return &Server{pool: pool, location: location}
}

// ListTimeline asks every source for a page behind the position, all in one snapshot and one round trip, and merges.
func (s *Server) ListTimeline(ctx context.Context, req *crmv1.ListTimelineRequest) (*crmv1.ListTimelineResponse, error) {
	customerID, err := s.customerID(ctx, req)
	if err != nil {
		return nil, err
	}
	if err := mayAsk(ctx, s.pool, customerID, req.GetFilter()); err != nil {
		return nil, err
	}
	parameters := []string{"timeline", strconv.FormatInt(customerID, 10), req.GetFilter()}
	after, err := page.Decode[position](req.GetPageToken(), parameters...)
	if err != nil {
		return nil, err
	}
	if after == nil {
		after = &position{Time: farFuture}
	}
	size := page.Size(req.GetPageSize())
	var found []*entry
	parts, asked := []record.Part{exists(customerID)}, &ask{customerID, req.GetFilter(), *after, size + 1, s.location}
	for i := range sources {
		part, err := sources[i].part(ctx, &found, asked)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	if err := record.ReadSnapshot(ctx, s.pool, parts...); err != nil {
		return nil, err
	}
	answer := &crmv1.ListTimelineResponse{CustomerId: customerID}
	entries, more := merge(found, size)
	for _, e := range entries {
		e.proto.Time = timestamppb.New(e.at)
		conceal(ctx, e.proto)
		answer.Entries = append(answer.Entries, e.proto)
	}
	if more {
		answer.NextPageToken, err = page.Encode(entries[size-1].position(), parameters...)
	}
	return answer, err
}

func (s *Server) customerID(ctx context.Context, req *crmv1.ListTimelineRequest) (int64, error) {
	if req.GetCustomerId() != 0 {
		return req.GetCustomerId(), nil
	}
	found, err := customer.Table.GetByKey(ctx, s.pool, req.GetCustomerKey())
	if err != nil {
		return 0, err
	}
	return found.ID, nil
}

// exists fails when there is no such customer.
func exists(customerID int64) record.Part {
	return record.Part{SQL: "SELECT customer_id FROM customer WHERE customer_id = $1", Args: []any{customerID}, Take: func(rows pgx.Rows) error {
		known, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err == nil && len(known) == 0 {
			return apperr.NotFound("customer %d does not exist", customerID)
		}
		return err
	}}
}
