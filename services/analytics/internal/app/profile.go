package app

import (
	"tandem.bank/pkg/grpcserver"
	"tandem.bank/pkg/lifecycle"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	"tandem.bank/services/analytics/internal/definition"
	"tandem.bank/services/analytics/internal/insight"
	"tandem.bank/services/analytics/internal/population"
	"tandem.bank/services/analytics/internal/profile"
	"tandem.bank/services/analytics/internal/run"
	"tandem.bank/services/analytics/internal/schedule"
)

// profiles builds profile schemes over facts: their service, compiler and schedule, and what sends members home.
func (s *service) profiles(
	server *grpcserver.Server, over population.Config, saved *definition.Store, kinds *definition.Registry, scheduler *schedule.Scheduler,
) (lifecycle.Part, error) {
	profiles, err := profile.New(over)
	if err != nil {
		return lifecycle.Part{}, err
	}
	insights, err := insight.New(insight.Config{JetStream: s.js, Source: profiles.Runs(), Logger: s.log, Registry: s.registry})
	if err != nil {
		return lifecycle.Part{}, err
	}
	kinds.Register(definition.KindProfileScheme, profiles.Compile)
	service := profile.NewServer(profiles, insights, saved)
	scheduler.Register(definition.KindProfileScheme, service.Desk().RunDefinition)
	run.Register(s.runs, analyticsv1.ProfileSchemeService_RunProfileScheme_FullMethodName, service.RunProfileScheme)
	analyticsv1.RegisterProfileSchemeServiceServer(server, service)
	return lifecycle.Part{Name: "insights of profile schemes", Run: insights.Run}, nil
}
