package transaction

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
)

// Server answers tandem.crm.v1.TransactionService.
type Server struct {
	crmv1.UnimplementedTransactionServiceServer
	ledger *Ledger
}

// NewServer serves a ledger.
func NewServer(ledger *Ledger) *Server { return &Server{ledger: ledger} }

// CreateTransaction records one transaction.
func (s *Server) CreateTransaction(ctx context.Context, req *crmv1.CreateTransactionRequest) (*crmv1.CreateTransactionResponse, error) {
	entries, err := s.ledger.record(ctx, []*crmv1.Transaction{req.GetTransaction()}, false)
	if err != nil {
		return nil, err
	}
	if entries[0].err != nil {
		return nil, record.InMessage("transaction", entries[0].err)
	}
	stored, err := s.ledger.Get(ctx, entries[0].row.TransactionID, nil)
	return &crmv1.CreateTransactionResponse{Transaction: stored}, err
}

// GetTransaction returns one transaction.
func (s *Server) GetTransaction(ctx context.Context, req *crmv1.GetTransactionRequest) (*crmv1.GetTransactionResponse, error) {
	t, err := s.ledger.Get(ctx, req.GetTransactionId(), req.GetKey())
	return &crmv1.GetTransactionResponse{Transaction: t}, err
}

// ListTransactions returns a page of one account's or one customer's transactions.
func (s *Server) ListTransactions(ctx context.Context, req *crmv1.ListTransactionsRequest) (*crmv1.ListTransactionsResponse, error) {
	if (req.GetAccountId() == 0) == (req.GetCustomerId() == 0) {
		return nil, apperr.InvalidField("account_id", "set either this or customer_id")
	}
	page, err := s.ledger.List(ctx, req)
	if err != nil {
		return nil, err
	}
	return &crmv1.ListTransactionsResponse{Transactions: page.Items, NextPageToken: page.Next, Count: page.Count}, nil
}

// BatchUpsertTransactions records a bundle.
func (s *Server) BatchUpsertTransactions(
	ctx context.Context, req *crmv1.BatchUpsertTransactionsRequest,
) (*crmv1.BatchUpsertTransactionsResponse, error) {
	results, err := s.ledger.Record(ctx, req.GetTransactions(), req.GetValidateOnly())
	return &crmv1.BatchUpsertTransactionsResponse{Results: results}, err
}

// StreamTransactions records bundles as they come. The answer to a bundle means that it is committed.
func (s *Server) StreamTransactions(stream grpc.BidiStreamingServer[crmv1.StreamTransactionsRequest, crmv1.StreamTransactionsResponse]) error {
	for index := int64(0); ; index++ {
		req, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		results, err := s.ledger.Record(stream.Context(), req.GetBatch().GetTransactions(), req.GetBatch().GetValidateOnly())
		if err != nil {
			return err
		}
		if err := stream.Send(&crmv1.StreamTransactionsResponse{BatchIndex: index, Results: results}); err != nil {
			return err
		}
	}
}
