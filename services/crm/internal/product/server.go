package product

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
)

// Server answers tandem.crm.v1.ProductService.
type Server struct {
	crmv1.UnimplementedProductServiceServer
	store *record.Store[*crmv1.Product, Row]
	pool  *pgxpool.Pool
}

// NewServer binds the room to its database.
func NewServer(pool *pgxpool.Pool, log *slog.Logger) *Server {
	return &Server{pool: pool, store: record.NewStore(pool, log, record.Room[*crmv1.Product, Row]{
		Table: Table, Name: "product", ToRow: toRow, Change: change, ToProto: toProto, Event: event,
		OutputOnly: []string{"state"},
	})}
}

// CreateProduct adds a product.
func (s *Server) CreateProduct(ctx context.Context, req *crmv1.CreateProductRequest) (*crmv1.CreateProductResponse, error) {
	product, err := s.store.Create(ctx, req.GetRequestId(), req.GetProduct())
	return &crmv1.CreateProductResponse{Product: product}, s.shown(ctx, err, product)
}

// GetProduct returns a product.
func (s *Server) GetProduct(ctx context.Context, req *crmv1.GetProductRequest) (*crmv1.GetProductResponse, error) {
	product, err := s.store.Get(ctx, req.GetProductId(), req.GetKey())
	return &crmv1.GetProductResponse{Product: product}, s.shown(ctx, err, product)
}

// UpdateProduct changes a product.
func (s *Server) UpdateProduct(ctx context.Context, req *crmv1.UpdateProductRequest) (*crmv1.UpdateProductResponse, error) {
	product, err := s.store.Update(ctx, record.Update[*crmv1.Product]{
		ID: req.GetProduct().GetProductId(), Etag: req.GetProduct().GetEtag(), Message: req.GetProduct(),
		Mask: req.GetUpdateMask(), RequestID: req.GetRequestId(), Request: req,
	})
	return &crmv1.UpdateProductResponse{Product: product}, s.shown(ctx, err, product)
}

// ListProducts returns a page of products by id.
func (s *Server) ListProducts(ctx context.Context, req *crmv1.ListProductsRequest) (*crmv1.ListProductsResponse, error) {
	page, err := s.store.List(ctx, req, schema, record.Scope{})
	if err != nil {
		return nil, err
	}
	return &crmv1.ListProductsResponse{Products: page.Items, NextPageToken: page.Next, Count: page.Count}, s.shown(ctx, nil, page.Items...)
}

// BatchUpsertProducts creates or changes products by external key.
func (s *Server) BatchUpsertProducts(ctx context.Context, req *crmv1.BatchUpsertProductsRequest) (*crmv1.BatchUpsertProductsResponse, error) {
	results, err := s.store.BatchUpsert(ctx, req.GetProducts(), record.Batch{ImportID: req.GetImportId(), ValidateOnly: req.GetValidateOnly()})
	return &crmv1.BatchUpsertProductsResponse{Results: results}, err
}

// shown puts the state of the bank's day on products, unless reading them failed.
func (s *Server) shown(ctx context.Context, failure error, products ...*crmv1.Product) error {
	if failure != nil || len(products) == 0 {
		return failure
	}
	today, err := record.BankDay(ctx, s.pool, time.Now())
	for _, p := range products {
		p.State = stateOn(p, today.Time)
	}
	return err
}
