package customer

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"tandem.bank/pkg/filter"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/attribute"
	"tandem.bank/services/crm/internal/record"
)

// Server answers tandem.crm.v1.CustomerService.
type Server struct {
	crmv1.UnimplementedCustomerServiceServer
	pool  *pgxpool.Pool
	room  *room
	store *record.Store[*crmv1.Customer, Row]
	// schema is what lists can be filtered and ordered by.
	schema filter.Schema
}

// Written follows changes of customers in their transactions.
type Written func(ctx context.Context, tx pgx.Tx, customers []*record.Record[Row], old []*Row) error

// NewServer binds the room to its database and tells followers what was written.
func NewServer(pool *pgxpool.Pool, log *slog.Logger, followers ...Written) *Server {
	written := func(ctx context.Context, tx pgx.Tx, customers []*record.Record[Row], old []*Row) error {
		if err := keepBeside(ctx, tx, customers, old); err != nil {
			return err
		}
		for _, follow := range followers {
			if err := follow(ctx, tx, customers, old); err != nil {
				return err
			}
		}
		return nil
	}
	rm := &room{location: calendar(pool), catalogue: attribute.NewCatalogue()}
	return &Server{schema: Schema, pool: pool, room: rm, store: record.NewStore(pool, log, record.Room[*crmv1.Customer, Row]{
		Table: Table, Name: "customer", ToRow: rm.toRow, Change: rm.change, ToProto: ToProto, Event: rm.event, Resolved: rm.known, Written: written,
	})}
}

// In tells the bank's country: phones that come without a country code are of there.
func (s *Server) In(country string) *Server {
	s.room.country = country
	return s
}

// With gives the room the catalogue that the definitions of attributes are changed by: it sees their changes at once.
func (s *Server) With(catalogue *attribute.Catalogue) *Server {
	s.room.catalogue = catalogue
	return s
}

// calendar is the zone in which the database's sessions, and with them the bank, count days.
func calendar(pool *pgxpool.Pool) *time.Location {
	location, err := time.LoadLocation(pool.Config().ConnConfig.RuntimeParams["timezone"])
	if err != nil {
		return time.UTC
	}
	return location
}

// ListBy lets lists be filtered and ordered by further fields: what other rooms know of customers.
func (s *Server) ListBy(schema filter.Schema) *Server {
	s.schema = schema
	return s
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
	message, mask := withTold(req.GetCustomer(), req.GetUpdateMask())
	customer, err := s.store.Update(ctx, record.Update[*crmv1.Customer]{
		ID: message.GetCustomerId(), Etag: message.GetEtag(), Message: message, Mask: mask, RequestID: req.GetRequestId(), Request: req,
	})
	return &crmv1.UpdateCustomerResponse{Customer: customer}, err
}

// ListCustomers returns a page of customers by id.
func (s *Server) ListCustomers(ctx context.Context, req *crmv1.ListCustomersRequest) (*crmv1.ListCustomersResponse, error) {
	schema, err := s.room.catalogue.Schema(ctx, s.pool, s.schema)
	if err != nil {
		return nil, err
	}
	page, err := s.store.List(ctx, req, schema, record.Scope{})
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
