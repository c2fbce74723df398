package contract

import (
	"context"
	"log/slog"

	"github.com/jackc/pgx/v5/pgxpool"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
	"tandem.bank/services/crm/internal/sight"
)

// Server answers tandem.crm.v1.ContractService.
type Server struct {
	crmv1.UnimplementedContractServiceServer
	pool *pgxpool.Pool
	// contracts is for people, imports for the systems that own contracts: they are held to different rules.
	contracts, imports *record.Store[*crmv1.Contract, Row]
	parties            *record.Store[*crmv1.ContractParty, PartyRow]
}

// NewServer binds the room to its database.
func NewServer(pool *pgxpool.Pool, log *slog.Logger) *Server {
	room := record.Room[*crmv1.Contract, Row]{
		Table: Table, Name: "contract", Writable: sight.OwnContracts, ToRow: toRow, Change: change, ToProto: toProto, Event: event,
		Replaces: record.StateReplaces, OutputOnly: []string{"days_past_due", "overdue_amount"},
	}
	imports := room
	imports.Change = keep
	return &Server{
		pool:      pool,
		contracts: record.NewStore(pool, log, room),
		imports:   record.NewStore(pool, log, imports),
		parties: record.NewStore(pool, log, record.Room[*crmv1.ContractParty, PartyRow]{
			Table: PartyTable, Name: "contract_party", ToRow: partyToRow, ToProto: partyToProto, Event: partyEvent,
		}),
	}
}

// CreateContract adds a contract.
func (s *Server) CreateContract(ctx context.Context, req *crmv1.CreateContractRequest) (*crmv1.CreateContractResponse, error) {
	contract, err := s.contracts.Create(ctx, req.GetRequestId(), req.GetContract())
	return &crmv1.CreateContractResponse{Contract: contract}, err
}

// GetContract returns a contract.
func (s *Server) GetContract(ctx context.Context, req *crmv1.GetContractRequest) (*crmv1.GetContractResponse, error) {
	contract, err := s.contracts.Get(ctx, req.GetContractId(), req.GetKey())
	return &crmv1.GetContractResponse{Contract: contract}, s.shown(ctx, err, contract)
}

// UpdateContract changes a contract.
func (s *Server) UpdateContract(ctx context.Context, req *crmv1.UpdateContractRequest) (*crmv1.UpdateContractResponse, error) {
	contract, err := s.contracts.Update(ctx, record.Update[*crmv1.Contract]{
		ID: req.GetContract().GetContractId(), Etag: req.GetContract().GetEtag(), Message: req.GetContract(),
		Mask: req.GetUpdateMask(), RequestID: req.GetRequestId(), Request: req,
	})
	return &crmv1.UpdateContractResponse{Contract: contract}, s.shown(ctx, err, contract)
}

// ListContracts returns a page of contracts by id.
func (s *Server) ListContracts(ctx context.Context, req *crmv1.ListContractsRequest) (*crmv1.ListContractsResponse, error) {
	page, err := s.contracts.List(ctx, req, listed, record.Scope{})
	if err != nil {
		return nil, err
	}
	return &crmv1.ListContractsResponse{Contracts: page.Items, NextPageToken: page.Next, Count: page.Count}, s.shown(ctx, nil, page.Items...)
}

// BatchUpsertContracts creates or changes contracts by external key.
func (s *Server) BatchUpsertContracts(ctx context.Context, req *crmv1.BatchUpsertContractsRequest) (*crmv1.BatchUpsertContractsResponse, error) {
	results, err := s.imports.BatchUpsert(ctx, req.GetContracts(), record.Batch{ImportID: req.GetImportId(), ValidateOnly: req.GetValidateOnly()})
	return &crmv1.BatchUpsertContractsResponse{Results: results}, err
}

// BatchUpsertContractParties creates or changes parties by external key.
func (s *Server) BatchUpsertContractParties(
	ctx context.Context, req *crmv1.BatchUpsertContractPartiesRequest,
) (*crmv1.BatchUpsertContractPartiesResponse, error) {
	results, err := s.parties.BatchUpsert(ctx, req.GetContractParties(), record.Batch{ImportID: req.GetImportId(), ValidateOnly: req.GetValidateOnly()})
	return &crmv1.BatchUpsertContractPartiesResponse{Results: results}, err
}

// ListContractParties returns a page of parties by id.
func (s *Server) ListContractParties(ctx context.Context, req *crmv1.ListContractPartiesRequest) (*crmv1.ListContractPartiesResponse, error) {
	page, err := s.parties.List(ctx, req, partySchema, record.Scope{})
	if err != nil {
		return nil, err
	}
	return &crmv1.ListContractPartiesResponse{ContractParties: page.Items, NextPageToken: page.Next, Count: page.Count}, nil
}
