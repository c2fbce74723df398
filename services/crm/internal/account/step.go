package account

import (
	"context"

	"github.com/jackc/pgx/v5/pgtype"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
)

// stepRequest is the request of any step of an account.
type stepRequest interface {
	record.StepRequest
	GetAccountId() int64
}

func (s *Server) step(ctx context.Context, name string, req stepRequest, also func(*Row, pgtype.Date) error) (*crmv1.Account, error) {
	return s.accounts.Take(ctx, record.Step[Row]{
		Name: name, ID: req.GetAccountId(), Request: req, States: states, Life: life, Also: also,
	})
}

// BlockAccount blocks an account for payments.
func (s *Server) BlockAccount(ctx context.Context, req *crmv1.BlockAccountRequest) (*crmv1.BlockAccountResponse, error) {
	account, err := s.step(ctx, "block", req, nil)
	return &crmv1.BlockAccountResponse{Account: account}, err
}

// UnblockAccount opens a blocked account again.
func (s *Server) UnblockAccount(ctx context.Context, req *crmv1.UnblockAccountRequest) (*crmv1.UnblockAccountResponse, error) {
	account, err := s.step(ctx, "unblock", req, nil)
	return &crmv1.UnblockAccountResponse{Account: account}, err
}

// CloseAccount closes an account for good.
func (s *Server) CloseAccount(ctx context.Context, req *crmv1.CloseAccountRequest) (*crmv1.CloseAccountResponse, error) {
	account, err := s.step(ctx, "close", req, func(row *Row, day pgtype.Date) error {
		var in record.Reader
		in.NotBefore("effective_time", day, "opened", row.Opened)
		row.Closed = day
		return in.Err()
	})
	return &crmv1.CloseAccountResponse{Account: account}, err
}
