package performance

import (
	"context"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	"tandem.bank/services/analytics/internal/report"
)

// Server is the PerformanceService: from proto to Service and back, nothing else.
type Server struct {
	analyticsv1.UnimplementedPerformanceServiceServer
	service *Service
}

// NewServer returns the service.
func NewServer(s *Service) *Server { return &Server{service: s} }

// CompareWithPlan compares a plan with what came of it.
func (s *Server) CompareWithPlan(ctx context.Context, req *analyticsv1.CompareWithPlanRequest) (*analyticsv1.CompareWithPlanResponse, error) {
	caller, err := report.CallerOf(ctx)
	if err != nil {
		return nil, err
	}
	return s.service.Compare(ctx, req, caller)
}
