package app

import (
	"time"

	"tandem.bank/pkg/grpcserver"
	"tandem.bank/pkg/lifecycle"
	"tandem.bank/services/analytics/internal/customerfact"
	"tandem.bank/services/analytics/internal/definition"
	"tandem.bank/services/analytics/internal/population"
	"tandem.bank/services/analytics/internal/schedule"
	"tandem.bank/services/analytics/internal/segment"
)

// overFacts builds the rooms that compute over facts of customers, and registers their services, compilers and schedules. The
// parts send their results home; segments are returned, too, to be waited for.
func (s *service) overFacts(
	server *grpcserver.Server, location *time.Location, facts *customerfact.Service, newest func() time.Time, saved *definition.Store,
	kinds *definition.Registry, scheduler *schedule.Scheduler,
) (*segment.Service, []lifecycle.Part, error) {
	segments, parts, err := s.segments(server, location, facts, newest, saved, kinds, scheduler)
	if err != nil {
		return nil, nil, err
	}
	over := population.Config{Warehouse: s.warehouse, Facts: facts, Segments: segments, NewestChange: newest, Logger: s.log}
	clusters, err := s.clusters(server, over, saved, kinds, scheduler)
	if err != nil {
		return nil, nil, err
	}
	profiles, err := s.profiles(server, over, saved, kinds, scheduler)
	if err != nil {
		return nil, nil, err
	}
	s.productMatrix(server, facts)
	scores, err := s.scores(server, over, saved, kinds, scheduler)
	if err != nil {
		return nil, nil, err
	}
	return segments, append(parts, clusters, profiles, scores), nil
}
