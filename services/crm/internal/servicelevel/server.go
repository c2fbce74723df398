package servicelevel

import (
	"context"
	"log/slog"

	"github.com/jackc/pgx/v5/pgxpool"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
)

// Server answers tandem.crm.v1.ServiceLevelService.
type Server struct {
	crmv1.UnimplementedServiceLevelServiceServer
	store *record.Store[*crmv1.ServiceLevel, Row]
}

// NewServer binds the room to its database.
func NewServer(pool *pgxpool.Pool, log *slog.Logger) *Server {
	return &Server{store: record.NewStore(pool, log, record.Room[*crmv1.ServiceLevel, Row]{
		Table: Table, Name: "service_level", ToRow: toRow, ToProto: toProto, Event: event,
	})}
}

// CreateServiceLevel adds a service level.
func (s *Server) CreateServiceLevel(ctx context.Context, req *crmv1.CreateServiceLevelRequest) (*crmv1.CreateServiceLevelResponse, error) {
	level, err := s.store.Create(ctx, req.GetRequestId(), req.GetServiceLevel())
	return &crmv1.CreateServiceLevelResponse{ServiceLevel: level}, err
}

// GetServiceLevel returns a service level.
func (s *Server) GetServiceLevel(ctx context.Context, req *crmv1.GetServiceLevelRequest) (*crmv1.GetServiceLevelResponse, error) {
	level, err := s.store.Get(ctx, req.GetServiceLevelId(), req.GetKey())
	return &crmv1.GetServiceLevelResponse{ServiceLevel: level}, err
}

// UpdateServiceLevel changes a service level.
func (s *Server) UpdateServiceLevel(ctx context.Context, req *crmv1.UpdateServiceLevelRequest) (*crmv1.UpdateServiceLevelResponse, error) {
	level, err := s.store.Update(ctx, record.Update[*crmv1.ServiceLevel]{
		ID: req.GetServiceLevel().GetServiceLevelId(), Etag: req.GetServiceLevel().GetEtag(), Message: req.GetServiceLevel(),
		Mask: req.GetUpdateMask(), RequestID: req.GetRequestId(), Request: req,
	})
	return &crmv1.UpdateServiceLevelResponse{ServiceLevel: level}, err
}

// ListServiceLevels returns a page of service levels by id.
func (s *Server) ListServiceLevels(ctx context.Context, req *crmv1.ListServiceLevelsRequest) (*crmv1.ListServiceLevelsResponse, error) {
	page, err := s.store.List(ctx, req, schema, record.Scope{})
	if err != nil {
		return nil, err
	}
	return &crmv1.ListServiceLevelsResponse{ServiceLevels: page.Items, NextPageToken: page.Next, Count: page.Count}, nil
}

// BatchUpsertServiceLevels creates or changes service levels by external key.
func (s *Server) BatchUpsertServiceLevels(
	ctx context.Context, req *crmv1.BatchUpsertServiceLevelsRequest,
) (*crmv1.BatchUpsertServiceLevelsResponse, error) {
	results, err := s.store.BatchUpsert(ctx, req.GetServiceLevels(), record.Batch{ImportID: req.GetImportId(), ValidateOnly: req.GetValidateOnly()})
	return &crmv1.BatchUpsertServiceLevelsResponse{Results: results}, err
}
