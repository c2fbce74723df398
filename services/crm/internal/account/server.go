package account

import (
	"context"
	"log/slog"
	"slices"

	"github.com/jackc/pgx/v5/pgxpool"

	"tandem.bank/pkg/filter"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
)

// Server answers tandem.crm.v1.AccountService.
type Server struct {
	crmv1.UnimplementedAccountServiceServer
	accounts *record.Store[*crmv1.Account, Row]
	holders  *record.Store[*crmv1.AccountHolder, HolderRow]
	// schema of lists of accounts.
	schema filter.Schema
}

// NewServer binds the room to its database.
func NewServer(pool *pgxpool.Pool, log *slog.Logger) *Server {
	return &Server{
		schema: listed,
		accounts: record.NewStore(pool, log, record.Room[*crmv1.Account, Row]{
			Table: Table, Name: "account", ToRow: toRow, Change: change, ToProto: toProto, Event: event,
			Replaces:   record.StateReplaces,
			OutputOnly: []string{"ledger_balance", "balance_date", "available_balance", "held_amount", "balance_time"},
		}),
		holders: record.NewStore(pool, log, record.Room[*crmv1.AccountHolder, HolderRow]{
			Table: HolderTable, Name: "account_holder", ToRow: holderToRow, Resolved: oneOwner, ToProto: holderToProto, Event: holderEvent,
			Deferred: true,
		}),
	}
}

// ListBy lets lists of accounts be filtered by further fields: what other rooms know of accounts.
func (s *Server) ListBy(more filter.Schema) *Server {
	s.schema = slices.Concat(listed, more)
	return s
}

// CreateAccount adds an account.
func (s *Server) CreateAccount(ctx context.Context, req *crmv1.CreateAccountRequest) (*crmv1.CreateAccountResponse, error) {
	account, err := s.accounts.Create(ctx, req.GetRequestId(), req.GetAccount())
	return &crmv1.CreateAccountResponse{Account: account}, err
}

// GetAccount returns an account.
func (s *Server) GetAccount(ctx context.Context, req *crmv1.GetAccountRequest) (*crmv1.GetAccountResponse, error) {
	account, err := s.accounts.Get(ctx, req.GetAccountId(), req.GetKey())
	return &crmv1.GetAccountResponse{Account: account}, err
}

// UpdateAccount changes an account.
func (s *Server) UpdateAccount(ctx context.Context, req *crmv1.UpdateAccountRequest) (*crmv1.UpdateAccountResponse, error) {
	account, err := s.accounts.Update(ctx, record.Update[*crmv1.Account]{
		ID: req.GetAccount().GetAccountId(), Etag: req.GetAccount().GetEtag(), Message: req.GetAccount(),
		Mask: req.GetUpdateMask(), RequestID: req.GetRequestId(), Request: req,
	})
	return &crmv1.UpdateAccountResponse{Account: account}, err
}

// ListAccounts returns a page of accounts by id.
func (s *Server) ListAccounts(ctx context.Context, req *crmv1.ListAccountsRequest) (*crmv1.ListAccountsResponse, error) {
	page, err := s.accounts.List(ctx, req, s.schema, record.Scope{})
	if err != nil {
		return nil, err
	}
	return &crmv1.ListAccountsResponse{Accounts: page.Items, NextPageToken: page.Next, Count: page.Count}, nil
}

// BatchUpsertAccounts creates or changes accounts by external key.
func (s *Server) BatchUpsertAccounts(ctx context.Context, req *crmv1.BatchUpsertAccountsRequest) (*crmv1.BatchUpsertAccountsResponse, error) {
	results, err := s.accounts.BatchUpsert(ctx, req.GetAccounts(), record.Batch{ImportID: req.GetImportId(), ValidateOnly: req.GetValidateOnly()})
	return &crmv1.BatchUpsertAccountsResponse{Results: results}, err
}

// BatchUpsertAccountHolders creates or changes holdings by external key.
func (s *Server) BatchUpsertAccountHolders(
	ctx context.Context, req *crmv1.BatchUpsertAccountHoldersRequest,
) (*crmv1.BatchUpsertAccountHoldersResponse, error) {
	results, err := s.holders.BatchUpsert(ctx, req.GetAccountHolders(), record.Batch{ImportID: req.GetImportId(), ValidateOnly: req.GetValidateOnly()})
	return &crmv1.BatchUpsertAccountHoldersResponse{Results: results}, err
}

// ListAccountHolders returns a page of holdings by id.
func (s *Server) ListAccountHolders(ctx context.Context, req *crmv1.ListAccountHoldersRequest) (*crmv1.ListAccountHoldersResponse, error) {
	page, err := s.holders.List(ctx, req, holderSchema, record.Scope{})
	if err != nil {
		return nil, err
	}
	return &crmv1.ListAccountHoldersResponse{AccountHolders: page.Items, NextPageToken: page.Next, Count: page.Count}, nil
}
