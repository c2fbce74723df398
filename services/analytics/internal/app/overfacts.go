package app

import (
	"time"

	"tandem.bank/pkg/grpcserver"
	"tandem.bank/pkg/lifecycle"
	"tandem.bank/services/analytics/internal/customerfact"
	"tandem.bank/services/analytics/internal/definition"
	"tandem.bank/services/analytics/internal/schedule"
)

// overFacts builds the rooms that compute over facts of customers, and registers their services, compilers and schedules. The
// parts send their results home.
func (s *service) overFacts(
	server *grpcserver.Server, location *time.Location, newest func() time.Time, saved *definition.Store, kinds *definition.Registry,
	scheduler *schedule.Scheduler,
) ([]lifecycle.Part, error) {
	facts, err := customerfact.New(customerfact.Config{Warehouse: s.warehouse, TimeZone: location, Logger: s.log})
	if err != nil {
		return nil, err
	}
	clusters, err := s.clusters(server, facts, newest, saved, kinds, scheduler)
	if err != nil {
		return nil, err
	}
	return []lifecycle.Part{clusters}, nil
}
