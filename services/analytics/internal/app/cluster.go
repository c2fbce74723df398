package app

import (
	"tandem.bank/pkg/grpcserver"
	"tandem.bank/pkg/lifecycle"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	"tandem.bank/services/analytics/internal/cluster"
	"tandem.bank/services/analytics/internal/definition"
	"tandem.bank/services/analytics/internal/insight"
	"tandem.bank/services/analytics/internal/population"
	"tandem.bank/services/analytics/internal/run"
	"tandem.bank/services/analytics/internal/schedule"
)

// clusters builds clusters over facts: their service, compiler and schedule, and what sends members home.
func (s *service) clusters(
	server *grpcserver.Server, over population.Config, saved *definition.Store, kinds *definition.Registry, scheduler *schedule.Scheduler,
) (lifecycle.Part, error) {
	clusters, err := cluster.New(over)
	if err != nil {
		return lifecycle.Part{}, err
	}
	insights, err := insight.New(insight.Config{JetStream: s.js, Source: clusters.Runs(), Logger: s.log, Registry: s.registry})
	if err != nil {
		return lifecycle.Part{}, err
	}
	kinds.Register(definition.KindClustering, clusters.Compile)
	service := cluster.NewServer(clusters, insights, saved)
	scheduler.Register(definition.KindClustering, service.Desk().RunDefinition)
	run.Register(s.runs, analyticsv1.ClusterService_RunClustering_FullMethodName, service.RunClustering)
	analyticsv1.RegisterClusterServiceServer(server, service)
	return lifecycle.Part{Name: "insights of clusters", Run: insights.Run}, nil
}
