package consent

import (
	"context"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/customer"
	"tandem.bank/services/crm/internal/record"
	"tandem.bank/services/crm/internal/request"
)

// Server answers tandem.crm.v1.ConsentService.
type Server struct {
	crmv1.UnimplementedConsentServiceServer
	store *record.Store[*crmv1.Consent, Row]
	pool  *pgxpool.Pool
}

// NewServer binds the room to its database.
func NewServer(pool *pgxpool.Pool, log *slog.Logger) *Server {
	return &Server{pool: pool, store: record.NewStore(pool, log, record.Room[*crmv1.Consent, Row]{
		Table: Table, Name: "consent", ToRow: toRow, Change: change, ToProto: toProto, Event: event,
	})}
}

// GrantConsent records a grant.
func (s *Server) GrantConsent(ctx context.Context, req *crmv1.GrantConsentRequest) (*crmv1.GrantConsentResponse, error) {
	if req.GetConsent().GetWithdrawnTime() != nil {
		return nil, apperr.InvalidField("consent.withdrawn_time", "is not for a grant; call WithdrawConsent")
	}
	return request.Once(ctx, s.pool, req.GetRequestId(), "GrantConsent", req, func(tx pgx.Tx) (*crmv1.GrantConsentResponse, error) {
		grant := proto.CloneOf(req.GetConsent())
		if grant.GetGrantedTime() == nil {
			customerID, err := findCustomer(ctx, tx, "consent.", grant)
			if err != nil {
				return nil, err
			}
			now, err := customer.Lock(ctx, tx, customerID)
			if err != nil {
				return nil, err
			}
			grant.GrantedTime = timestamppb.New(now)
		}
		stored, err := s.store.Add(ctx, tx, grant)
		return &crmv1.GrantConsentResponse{Consent: stored}, err
	})
}

// GetConsent returns a consent.
func (s *Server) GetConsent(ctx context.Context, req *crmv1.GetConsentRequest) (*crmv1.GetConsentResponse, error) {
	consent, err := s.store.Get(ctx, req.GetConsentId(), req.GetKey())
	return &crmv1.GetConsentResponse{Consent: consent}, err
}

// ListConsents returns a page of consents by id.
func (s *Server) ListConsents(ctx context.Context, req *crmv1.ListConsentsRequest) (*crmv1.ListConsentsResponse, error) {
	var scope record.Scope
	if id := req.GetCustomerId(); id != 0 {
		scope = record.Scope{Condition: "customer_id = $1", Args: []any{id}}
	}
	page, err := s.store.List(ctx, req, schema, scope)
	if err != nil {
		return nil, err
	}
	return &crmv1.ListConsentsResponse{Consents: page.Items, NextPageToken: page.Next, Count: page.Count}, nil
}

// BatchUpsertConsents creates or changes consents by external key.
func (s *Server) BatchUpsertConsents(ctx context.Context, req *crmv1.BatchUpsertConsentsRequest) (*crmv1.BatchUpsertConsentsResponse, error) {
	results, err := s.store.BatchUpsert(ctx, req.GetConsents(), record.Batch{ImportID: req.GetImportId(), ValidateOnly: req.GetValidateOnly()})
	return &crmv1.BatchUpsertConsentsResponse{Results: results}, err
}

// named is a message that names a customer by number or external key.
type named interface {
	GetCustomerId() int64
	GetCustomerKey() *crmv1.ExternalKey
}

// findCustomer returns the number of a customer that must exist; path stands before the fields in errors.
func findCustomer(ctx context.Context, q record.Querier, path string, m named) (int64, error) {
	if m.GetCustomerId() == 0 && m.GetCustomerKey() == nil {
		return 0, apperr.InvalidField(path+"customer_id", "is required; or set customer_key")
	}
	var id *int64
	ref := record.Ref(path+"customer_id", customer.Table, m.GetCustomerId(), m.GetCustomerKey(), &id)
	errs, err := record.Resolve(ctx, q, [][]record.Reference{{ref}})
	if err == nil {
		err = errs[0]
	}
	if err == nil {
		err = customer.Table.MustSee(ctx, q, *id)
	}
	return record.Value(id), err
}
