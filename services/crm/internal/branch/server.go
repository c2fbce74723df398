package branch

import (
	"context"
	"log/slog"

	"github.com/jackc/pgx/v5/pgxpool"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
)

// Server answers tandem.crm.v1.BranchService.
type Server struct {
	crmv1.UnimplementedBranchServiceServer
	regions  *record.Store[*crmv1.Region, RegionRow]
	branches *record.Store[*crmv1.Branch, Row]
	managers *record.Store[*crmv1.Manager, ManagerRow]
}

// NewServer binds the room to its database.
func NewServer(pool *pgxpool.Pool, log *slog.Logger) *Server {
	return &Server{
		regions: record.NewStore(pool, log, record.Room[*crmv1.Region, RegionRow]{
			Table: RegionTable, Name: "region", ToRow: regionToRow, ToProto: regionToProto, Event: regionEvent,
		}),
		branches: record.NewStore(pool, log, record.Room[*crmv1.Branch, Row]{
			Table: BranchTable, Name: "branch", ToRow: branchToRow, ToProto: branchToProto, Event: branchEvent,
		}),
		managers: record.NewStore(pool, log, record.Room[*crmv1.Manager, ManagerRow]{
			Table: ManagerTable, Name: "manager", ToRow: managerToRow, Resolved: refuseCircles, ToProto: managerToProto, Event: managerEvent,
		}),
	}
}

// BatchUpsertRegions creates or changes regions by external key.
func (s *Server) BatchUpsertRegions(ctx context.Context, req *crmv1.BatchUpsertRegionsRequest) (*crmv1.BatchUpsertRegionsResponse, error) {
	results, err := s.regions.BatchUpsert(ctx, req.GetRegions(), record.Batch{ImportID: req.GetImportId(), ValidateOnly: req.GetValidateOnly()})
	return &crmv1.BatchUpsertRegionsResponse{Results: results}, err
}

// GetRegion returns a region.
func (s *Server) GetRegion(ctx context.Context, req *crmv1.GetRegionRequest) (*crmv1.GetRegionResponse, error) {
	region, err := s.regions.Get(ctx, req.GetRegionId(), req.GetKey())
	return &crmv1.GetRegionResponse{Region: region}, err
}

// ListRegions returns a page of regions by id.
func (s *Server) ListRegions(ctx context.Context, req *crmv1.ListRegionsRequest) (*crmv1.ListRegionsResponse, error) {
	page, err := s.regions.List(ctx, req, regionSchema, record.Scope{})
	if err != nil {
		return nil, err
	}
	return &crmv1.ListRegionsResponse{Regions: page.Items, NextPageToken: page.Next, Count: page.Count}, nil
}

// BatchUpsertBranches creates or changes branches by external key.
func (s *Server) BatchUpsertBranches(ctx context.Context, req *crmv1.BatchUpsertBranchesRequest) (*crmv1.BatchUpsertBranchesResponse, error) {
	results, err := s.branches.BatchUpsert(ctx, req.GetBranches(), record.Batch{ImportID: req.GetImportId(), ValidateOnly: req.GetValidateOnly()})
	return &crmv1.BatchUpsertBranchesResponse{Results: results}, err
}

// GetBranch returns a branch.
func (s *Server) GetBranch(ctx context.Context, req *crmv1.GetBranchRequest) (*crmv1.GetBranchResponse, error) {
	branch, err := s.branches.Get(ctx, req.GetBranchId(), req.GetKey())
	return &crmv1.GetBranchResponse{Branch: branch}, err
}

// ListBranches returns a page of branches by id.
func (s *Server) ListBranches(ctx context.Context, req *crmv1.ListBranchesRequest) (*crmv1.ListBranchesResponse, error) {
	page, err := s.branches.List(ctx, req, branchSchema, record.Scope{})
	if err != nil {
		return nil, err
	}
	return &crmv1.ListBranchesResponse{Branches: page.Items, NextPageToken: page.Next, Count: page.Count}, nil
}

// BatchUpsertManagers creates or changes managers by external key.
func (s *Server) BatchUpsertManagers(ctx context.Context, req *crmv1.BatchUpsertManagersRequest) (*crmv1.BatchUpsertManagersResponse, error) {
	results, err := s.managers.BatchUpsert(ctx, req.GetManagers(), record.Batch{ImportID: req.GetImportId(), ValidateOnly: req.GetValidateOnly()})
	return &crmv1.BatchUpsertManagersResponse{Results: results}, err
}

// GetManager returns a manager.
func (s *Server) GetManager(ctx context.Context, req *crmv1.GetManagerRequest) (*crmv1.GetManagerResponse, error) {
	manager, err := s.managers.Get(ctx, req.GetManagerId(), req.GetKey())
	return &crmv1.GetManagerResponse{Manager: manager}, err
}

// ListManagers returns a page of managers by id.
func (s *Server) ListManagers(ctx context.Context, req *crmv1.ListManagersRequest) (*crmv1.ListManagersResponse, error) {
	page, err := s.managers.List(ctx, req, managerSchema, record.Scope{})
	if err != nil {
		return nil, err
	}
	return &crmv1.ListManagersResponse{Managers: page.Items, NextPageToken: page.Next, Count: page.Count}, nil
}
