package app

import (
	"tandem.bank/pkg/grpcserver"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	"tandem.bank/services/analytics/internal/customerfact"
	"tandem.bank/services/analytics/internal/productmatrix"
)

// productMatrix registers what sets products against segments.
func (s *service) productMatrix(server *grpcserver.Server, facts *customerfact.Service) {
	analyticsv1.RegisterProductMatrixServiceServer(server, productmatrix.NewServer(productmatrix.New(s.warehouse, facts)))
}
