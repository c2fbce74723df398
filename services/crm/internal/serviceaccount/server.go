package serviceaccount

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
)

// Server answers tandem.crm.v1.ServiceAccountService.
type Server struct {
	crmv1.UnimplementedServiceAccountServiceServer
	pool  *pgxpool.Pool
	store *record.Store[*crmv1.ServiceAccount, Row]
}

// NewServer binds the room to its database.
func NewServer(pool *pgxpool.Pool, log *slog.Logger) *Server {
	return &Server{pool: pool, store: record.NewStore(pool, log, record.Room[*crmv1.ServiceAccount, Row]{
		Table: Table, Name: "service_account", ToRow: toRow, Change: change, ToProto: toProto, Event: event,
	})}
}

// CreateServiceAccount adds an account.
func (s *Server) CreateServiceAccount(
	ctx context.Context, req *crmv1.CreateServiceAccountRequest,
) (*crmv1.CreateServiceAccountResponse, error) {
	account, ok := proto.Clone(req.GetServiceAccount()).(*crmv1.ServiceAccount)
	if !ok {
		account = &crmv1.ServiceAccount{}
	}
	account.Keys = nil
	if req.GetPublicKey() != "" {
		// Without a time, which the row gets later: a repeated call must be the same call.
		key, err := newKey(req.GetPublicKey(), time.Time{})
		if err != nil {
			return nil, err
		}
		account.Keys = []*crmv1.ServiceAccountKey{{KeyId: key.ID, PublicKey: key.PublicKey}}
	}
	created, err := s.store.Create(ctx, req.GetRequestId(), account)
	return &crmv1.CreateServiceAccountResponse{ServiceAccount: created}, err
}

// GetServiceAccount returns an account.
func (s *Server) GetServiceAccount(ctx context.Context, req *crmv1.GetServiceAccountRequest) (*crmv1.GetServiceAccountResponse, error) {
	if req.GetName() == "" {
		account, err := s.store.Get(ctx, req.GetServiceAccountId(), req.GetKey())
		return &crmv1.GetServiceAccountResponse{ServiceAccount: account}, err
	}
	found, err := Table.Select(ctx, s.pool, "name = $1", req.GetName())
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, unknown(req.GetName())
	}
	return &crmv1.GetServiceAccountResponse{ServiceAccount: toProto(found[0])}, nil
}

func unknown(name string) error { return apperr.NotFound("service account %s does not exist", name) }

// ListServiceAccounts returns a page of accounts.
func (s *Server) ListServiceAccounts(
	ctx context.Context, req *crmv1.ListServiceAccountsRequest,
) (*crmv1.ListServiceAccountsResponse, error) {
	page, err := s.store.List(ctx, req, schema, record.Scope{})
	if err != nil {
		return nil, err
	}
	return &crmv1.ListServiceAccountsResponse{ServiceAccounts: page.Items, NextPageToken: page.Next, Count: page.Count}, nil
}

// UpdateServiceAccount changes roles and description.
func (s *Server) UpdateServiceAccount(
	ctx context.Context, req *crmv1.UpdateServiceAccountRequest,
) (*crmv1.UpdateServiceAccountResponse, error) {
	given, mask := req.GetServiceAccount(), req.GetUpdateMask()
	if len(mask.GetPaths()) == 0 {
		mask = &fieldmaskpb.FieldMask{}
		if len(given.GetRoles()) > 0 {
			mask.Paths = append(mask.Paths, "roles")
		}
		if given.GetDescription() != "" {
			mask.Paths = append(mask.Paths, "description")
		}
	}
	if len(mask.GetPaths()) == 0 {
		return nil, apperr.InvalidField("update_mask", "must name roles or description")
	}
	for _, path := range mask.GetPaths() {
		if path != "roles" && path != "description" {
			return nil, apperr.InvalidField("update_mask", "%q can't be changed; roles and description can", path)
		}
	}
	account, err := s.store.Update(ctx, record.Update[*crmv1.ServiceAccount]{
		ID: given.GetServiceAccountId(), Etag: given.GetEtag(), Message: given, Mask: mask, RequestID: req.GetRequestId(), Request: req,
	})
	return &crmv1.UpdateServiceAccountResponse{ServiceAccount: account}, err
}
