package contract

import (
	"context"
	"log/slog"

	"github.com/jackc/pgx/v5/pgxpool"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
)

// Server answers tandem.crm.v1.ContractService.
type Server struct {
	crmv1.UnimplementedContractServiceServer
	store *record.Store[*crmv1.Contract, Row]
}

// NewServer binds the room to its database.
func NewServer(pool *pgxpool.Pool, log *slog.Logger) *Server {
	return &Server{store: record.NewStore(pool, log, record.Room[*crmv1.Contract, Row]{
		Table: Table, Name: "contract", ToRow: toRow, ToProto: toProto, Event: event,
	})}
}

// GetContract returns a contract.
func (s *Server) GetContract(ctx context.Context, req *crmv1.GetContractRequest) (*crmv1.GetContractResponse, error) {
	contract, err := s.store.Get(ctx, req.GetContractId(), req.GetKey())
	return &crmv1.GetContractResponse{Contract: contract}, err
}

// ListContracts returns a page of contracts by id.
func (s *Server) ListContracts(ctx context.Context, req *crmv1.ListContractsRequest) (*crmv1.ListContractsResponse, error) {
	page, err := s.store.List(ctx, req, schema, record.Scope{})
	if err != nil {
		return nil, err
	}
	return &crmv1.ListContractsResponse{Contracts: page.Items, NextPageToken: page.Next, Count: page.Count}, nil
}

// BatchUpsertContracts creates or changes contracts by external key.
func (s *Server) BatchUpsertContracts(ctx context.Context, req *crmv1.BatchUpsertContractsRequest) (*crmv1.BatchUpsertContractsResponse, error) {
	results, err := s.store.BatchUpsert(ctx, req.GetContracts(), record.Batch{ImportID: req.GetImportId(), ValidateOnly: req.GetValidateOnly()})
	return &crmv1.BatchUpsertContractsResponse{Results: results}, err
}
