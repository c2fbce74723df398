package definition

import (
	"context"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
)

// Server is the DefinitionService.
type Server struct {
	analyticsv1.UnimplementedDefinitionServiceServer
	registry *Registry
}

// NewServer returns the service.
func NewServer(r *Registry) *Server { return &Server{registry: r} }

// CompileDefinition compiles a spec.
func (s *Server) CompileDefinition(
	ctx context.Context, req *analyticsv1.CompileDefinitionRequest,
) (*analyticsv1.CompileDefinitionResponse, error) {
	if err := s.registry.Compile(ctx, req.GetName(), req.GetSpec()); err != nil {
		return nil, err
	}
	return &analyticsv1.CompileDefinitionResponse{Kind: KindOf(req.GetSpec())}, nil
}
