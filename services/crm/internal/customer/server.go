package customer

import (
	"context"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
)

// Server answers tandem.crm.v1.CustomerService.
type Server struct {
	crmv1.UnimplementedCustomerServiceServer
	store *record.Store[*crmv1.Customer, Row]
}

// Written follows changes of customers in their transactions.
type Written func(ctx context.Context, tx pgx.Tx, customers []*record.Record[Row], old []*Row) error

// NewServer binds the room to its database and tells followers what was written.
func NewServer(pool *pgxpool.Pool, log *slog.Logger, followers ...Written) *Server {
	written := func(ctx context.Context, tx pgx.Tx, customers []*record.Record[Row], old []*Row) error {
		for _, follow := range followers {
			if err := follow(ctx, tx, customers, old); err != nil {
				return err
			}
		}
		return nil
	}
	return &Server{store: record.NewStore(pool, log, record.Room[*crmv1.Customer, Row]{
		Table: Table, Name: "customer", ToRow: toRow, Change: change, ToProto: ToProto, Event: event, Written: written,
	})}
}

// CreateCustomer adds a customer.
func (s *Server) CreateCustomer(ctx context.Context, req *crmv1.CreateCustomerRequest) (*crmv1.CreateCustomerResponse, error) {
	customer, err := s.store.Create(ctx, req.GetRequestId(), req.GetCustomer())
	return &crmv1.CreateCustomerResponse{Customer: customer}, err
}

// GetCustomer returns a customer.
func (s *Server) GetCustomer(ctx context.Context, req *crmv1.GetCustomerRequest) (*crmv1.GetCustomerResponse, error) {
	customer, err := s.store.Get(ctx, req.GetCustomerId(), req.GetKey())
	return &crmv1.GetCustomerResponse{Customer: customer}, err
}

// UpdateCustomer changes a customer.
func (s *Server) UpdateCustomer(ctx context.Context, req *crmv1.UpdateCustomerRequest) (*crmv1.UpdateCustomerResponse, error) {
	customer, err := s.store.Update(ctx, record.Update[*crmv1.Customer]{
		ID: req.GetCustomer().GetCustomerId(), Etag: req.GetCustomer().GetEtag(), Message: req.GetCustomer(),
		Mask: req.GetUpdateMask(), RequestID: req.GetRequestId(), Request: req,
	})
	return &crmv1.UpdateCustomerResponse{Customer: customer}, err
}

// ListCustomers returns a page of customers by id.
func (s *Server) ListCustomers(ctx context.Context, req *crmv1.ListCustomersRequest) (*crmv1.ListCustomersResponse, error) {
	page, err := s.store.List(ctx, req, Schema, record.Scope{})
	if err != nil {
		return nil, err
	}
	return &crmv1.ListCustomersResponse{Customers: page.Items, NextPageToken: page.Next, Count: page.Count}, nil
}

// BatchUpsertCustomers creates or changes customers by external key.
func (s *Server) BatchUpsertCustomers(ctx context.Context, req *crmv1.BatchUpsertCustomersRequest) (*crmv1.BatchUpsertCustomersResponse, error) {
	results, err := s.store.BatchUpsert(ctx, req.GetCustomers(), record.Batch{ImportID: req.GetImportId(), ValidateOnly: req.GetValidateOnly()})
	return &crmv1.BatchUpsertCustomersResponse{Results: results}, err
}
