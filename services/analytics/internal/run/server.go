package run

import (
	"context"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
)

// Server is the RunOperationService: from proto to Service and back, nothing else.
type Server struct {
	analyticsv1.UnimplementedRunOperationServiceServer
	service *Service
}

// NewServer returns the service.
func NewServer(s *Service) *Server { return &Server{service: s} }

// StartRun begins a run.
func (s *Server) StartRun(ctx context.Context, req *analyticsv1.StartRunRequest) (*analyticsv1.StartRunResponse, error) {
	op, err := s.service.Start(ctx, req)
	return &analyticsv1.StartRunResponse{Operation: op}, err
}

// GetRunOperation returns an operation.
func (s *Server) GetRunOperation(ctx context.Context, req *analyticsv1.GetRunOperationRequest) (*analyticsv1.GetRunOperationResponse, error) {
	op, err := s.service.operations.Find(req.GetId(), owner(ctx))
	if err != nil {
		return nil, err
	}
	return &analyticsv1.GetRunOperationResponse{Operation: op.Snapshot()}, nil
}

// WaitRunOperation waits until an operation ends or the caller's deadline is near.
func (s *Server) WaitRunOperation(ctx context.Context, req *analyticsv1.WaitRunOperationRequest) (*analyticsv1.WaitRunOperationResponse, error) {
	op, err := s.service.operations.Find(req.GetId(), owner(ctx))
	if err != nil {
		return nil, err
	}
	state, err := op.Wait(ctx)
	return &analyticsv1.WaitRunOperationResponse{Operation: state}, err
}

// CancelRunOperation cancels an operation, and waits until it has let go.
func (s *Server) CancelRunOperation(
	ctx context.Context, req *analyticsv1.CancelRunOperationRequest,
) (*analyticsv1.CancelRunOperationResponse, error) {
	op, err := s.service.operations.Find(req.GetId(), owner(ctx))
	if err != nil {
		return nil, err
	}
	state, err := op.Cancel(ctx)
	return &analyticsv1.CancelRunOperationResponse{Operation: state}, err
}

// ListRunOperations lists the caller's operations.
func (s *Server) ListRunOperations(ctx context.Context, _ *analyticsv1.ListRunOperationsRequest) (*analyticsv1.ListRunOperationsResponse, error) {
	states := s.service.operations.List(owner(ctx))
	for _, state := range states {
		state.Result = nil
	}
	return &analyticsv1.ListRunOperationsResponse{Operations: states}, nil
}
