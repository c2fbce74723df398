package app

import (
	"tandem.bank/pkg/grpcserver"
	"tandem.bank/pkg/lifecycle"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	"tandem.bank/services/analytics/internal/definition"
	"tandem.bank/services/analytics/internal/insight"
	"tandem.bank/services/analytics/internal/population"
	"tandem.bank/services/analytics/internal/run"
	"tandem.bank/services/analytics/internal/schedule"
	"tandem.bank/services/analytics/internal/score"
)

// scores builds scorecards and trained scores over facts: their service, compilers and schedule, and what sends results home.
func (s *service) scores(
	server *grpcserver.Server, over population.Config, saved *definition.Store, kinds *definition.Registry, scheduler *schedule.Scheduler,
) (lifecycle.Part, error) {
	none := lifecycle.Part{}
	scores, err := score.New(over)
	if err != nil {
		return none, err
	}
	insights, err := insight.New(insight.Config{JetStream: s.js, Source: scores, Logger: s.log, Registry: s.registry})
	if err != nil {
		return none, err
	}
	kinds.Register(definition.KindScorecard, scores.CompileScorecard)
	kinds.Register(definition.KindScoreModel, scores.CompileModel)
	service := score.NewServer(scores, insights, saved)
	scheduler.Register(definition.KindScorecard, service.RunDefinition)
	scheduler.Register(definition.KindScoreModel, service.RunDefinition)
	run.Register(s.runs, analyticsv1.ScoreService_RunScore_FullMethodName, service.RunScore)
	run.Register(s.runs, analyticsv1.ScoreService_TrainModel_FullMethodName, service.TrainModel)
	analyticsv1.RegisterScoreServiceServer(server, service)
	return lifecycle.Part{Name: "insights of scores", Run: insights.Run}, nil
}
