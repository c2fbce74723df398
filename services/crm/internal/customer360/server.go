// Package customer360 shows a customer on one screen. It reads from the other rooms and writes nothing.
package customer360

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/readmask"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/audit"
	"tandem.bank/services/crm/internal/customer"
	"tandem.bank/services/crm/internal/insight"
	"tandem.bank/services/crm/internal/record"
)

// Server answers tandem.crm.v1.Customer360Service.
type Server struct {
	crmv1.UnimplementedCustomer360ServiceServer
	pool *pgxpool.Pool
}

// NewServer binds the room to its database.
func NewServer(pool *pgxpool.Pool) *Server {
	return &Server{pool: pool}
}

// ListRfmHistory returns a page of the results that stood beside a customer.
func (s *Server) ListRfmHistory(ctx context.Context, req *crmv1.ListRfmHistoryRequest) (*crmv1.ListRfmHistoryResponse, error) {
	if err := customer.Table.MustSee(ctx, s.pool, req.GetCustomerId()); err != nil {
		return nil, err
	}
	return insight.List(ctx, s.pool, req)
}

// ListInsightHistory returns a page of the changes of a customer's segments and scores.
func (s *Server) ListInsightHistory(ctx context.Context, req *crmv1.ListInsightHistoryRequest) (*crmv1.ListInsightHistoryResponse, error) {
	if err := customer.Table.MustSee(ctx, s.pool, req.GetCustomerId()); err != nil {
		return nil, err
	}
	return insight.ListChanges(ctx, s.pool, req)
}

// GetCustomer360 reads the parts that are asked for in one snapshot, so that they fit each other, and in one round trip.
func (s *Server) GetCustomer360(ctx context.Context, req *crmv1.GetCustomer360Request) (*crmv1.GetCustomer360Response, error) {
	answer := &crmv1.GetCustomer360Response{Ages: map[string]*crmv1.PartAge{}, AsOf: req.GetAsOf()}
	mask, err := readmask.Parse(req.GetReadMask(), answer.ProtoReflect().Descriptor())
	if err != nil {
		return nil, err
	}
	at, err := moment(req.GetAsOf())
	if err != nil {
		return nil, err
	}
	customerID, err := s.customerID(ctx, req)
	if err != nil {
		return nil, err
	}
	screen := &screen{
		answer: answer, customerID: customerID, at: at, interactionsMax: int(req.GetInteractionsMax()),
		tell: func(accountID int64, customerIDs []int64) { audit.TellHolders(ctx, accountID, customerIDs) },
	}
	if err := screen.read(ctx, s.pool, mask); err != nil {
		return nil, err
	}
	if err := concealUnseen(ctx, s.pool, answer.GetRelations()); err != nil {
		return nil, err
	}
	screen.tellAges()
	if mask != nil {
		// What the answer is told by stays.
		for _, field := range []string{"ages", "as_of", "history_start_time", "not_in_history"} {
			mask[field] = nil
		}
		mask.Prune(answer)
	}
	return answer, nil
}

// moment is the time that a request asks for, at the precision that Postgres keeps; nil is now.
func moment(asOf *timestamppb.Timestamp) (*time.Time, error) {
	if asOf == nil {
		return nil, nil //nolint:nilnil // now is no moment of its own
	}
	if err := asOf.CheckValid(); err != nil {
		return nil, apperr.InvalidField("as_of", "%s", err)
	}
	at := asOf.AsTime().Truncate(time.Microsecond)
	if at.After(time.Now()) {
		return nil, apperr.InvalidField("as_of", "must not lie in the future")
	}
	return &at, nil
}

// customerID is the number of the customer that a request names: the parts are read by it, and it never changes.
func (s *Server) customerID(ctx context.Context, req *crmv1.GetCustomer360Request) (int64, error) {
	if req.GetCustomerId() != 0 {
		return req.GetCustomerId(), customer.Table.MustSee(ctx, s.pool, req.GetCustomerId())
	}
	found, err := customer.Table.GetByKey(ctx, s.pool, req.GetKey())
	if err != nil {
		return 0, err
	}
	return found.ID, nil
}

// read takes the parts that a mask asks for from the database.
func (s *screen) read(ctx context.Context, pool record.Batcher, mask readmask.Mask) error {
	reads := []record.Part{s.known()}
	if s.at != nil {
		reads = append(reads, s.start())
	}
	for _, part := range s.parts() {
		if !mask.Has(part.name) {
			continue
		}
		if s.at != nil {
			for _, column := range part.unknown {
				s.answer.NotInHistory = append(s.answer.NotInHistory, part.name+"."+column)
			}
			part.read = part.asOf(*s.at, s.customerID)
		}
		reads = append(reads, part.read)
	}
	if s.at == nil && mask.Has("customer") {
		reads = reads[1:] // the profile tells that the customer is known
	}
	if err := record.ReadSnapshot(ctx, pool, reads...); err != nil {
		return err
	}
	return s.checkStart()
}

// checkStart refuses a moment of which nothing is known.
func (s *screen) checkStart() error {
	if s.at == nil {
		return nil
	}
	if start := s.answer.GetHistoryStartTime(); start == nil || s.at.Before(start.AsTime()) {
		since := "now"
		if start != nil {
			since = start.AsTime().Format(time.RFC3339Nano)
		}
		return apperr.New(codes.OutOfRange, apperr.ReasonFailedPrecondition, "as_of: the history begins at %s", since)
	}
	return nil
}
