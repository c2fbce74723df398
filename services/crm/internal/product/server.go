package product

import (
	"context"
	"log/slog"

	"github.com/jackc/pgx/v5/pgxpool"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
)

// Server answers tandem.crm.v1.ProductService.
type Server struct {
	crmv1.UnimplementedProductServiceServer
	store *record.Store[*crmv1.Product, Row]
}

// NewServer binds the room to its database.
func NewServer(pool *pgxpool.Pool, log *slog.Logger) *Server {
	return &Server{store: record.NewStore(pool, log, record.Room[*crmv1.Product, Row]{
		Table: Table, Name: "product", ToRow: toRow, Change: change, ToProto: toProto, Event: event,
	})}
}

// CreateProduct adds a product.
func (s *Server) CreateProduct(ctx context.Context, req *crmv1.CreateProductRequest) (*crmv1.CreateProductResponse, error) {
	product, err := s.store.Create(ctx, req.GetRequestId(), req.GetProduct())
	return &crmv1.CreateProductResponse{Product: product}, err
}

// GetProduct returns a product.
func (s *Server) GetProduct(ctx context.Context, req *crmv1.GetProductRequest) (*crmv1.GetProductResponse, error) {
	product, err := s.store.Get(ctx, req.GetProductId(), req.GetKey())
	return &crmv1.GetProductResponse{Product: product}, err
}

// UpdateProduct changes a product.
func (s *Server) UpdateProduct(ctx context.Context, req *crmv1.UpdateProductRequest) (*crmv1.UpdateProductResponse, error) {
	product, err := s.store.Update(ctx, record.Update[*crmv1.Product]{
		ID: req.GetProduct().GetProductId(), Etag: req.GetProduct().GetEtag(), Message: req.GetProduct(),
		Mask: req.GetUpdateMask(), RequestID: req.GetRequestId(), Request: req,
	})
	return &crmv1.UpdateProductResponse{Product: product}, err
}

// ListProducts returns a page of products by id.
func (s *Server) ListProducts(ctx context.Context, req *crmv1.ListProductsRequest) (*crmv1.ListProductsResponse, error) {
	page, err := s.store.List(ctx, req, schema, record.Scope{})
	if err != nil {
		return nil, err
	}
	return &crmv1.ListProductsResponse{Products: page.Items, NextPageToken: page.Next, Count: page.Count}, nil
}

// BatchUpsertProducts creates or changes products by external key.
func (s *Server) BatchUpsertProducts(ctx context.Context, req *crmv1.BatchUpsertProductsRequest) (*crmv1.BatchUpsertProductsResponse, error) {
	results, err := s.store.BatchUpsert(ctx, req.GetProducts(), record.Batch{ImportID: req.GetImportId(), ValidateOnly: req.GetValidateOnly()})
	return &crmv1.BatchUpsertProductsResponse{Results: results}, err
}
