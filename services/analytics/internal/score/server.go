package score

import (
	"context"
	"time"

	"github.com/google/uuid"
	datepb "google.golang.org/genproto/googleapis/type/date"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/date"
	"tandem.bank/pkg/page"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/definition"
	"tandem.bank/services/analytics/internal/operation"
	"tandem.bank/services/analytics/internal/permission"
	"tandem.bank/services/analytics/internal/snapshot"
)

// Server is the ScoreService: from proto to Service and back, nothing else.
type Server struct {
	analyticsv1.UnimplementedScoreServiceServer
	service     *Service
	publisher   snapshot.Publisher
	definitions *definition.Store
}

// NewServer returns the service.
func NewServer(s *Service, p snapshot.Publisher, d *definition.Store) *Server {
	return &Server{service: s, publisher: p, definitions: d}
}

// RunScore scores customers, stores a snapshot, and sends the results home.
func (s *Server) RunScore(ctx context.Context, req *analyticsv1.RunScoreRequest) (*analyticsv1.RunScoreResponse, error) {
	asOf, err := date.Field("as_of", req.GetAsOf())
	if err != nil {
		return nil, err
	}
	d, err := s.definition(ctx, req.GetDefinition(), true, definition.KindScorecard, definition.KindScoreModel)
	if err != nil {
		return nil, err
	}
	run, err := s.service.Compute(ctx, d, asOf)
	if err != nil {
		return nil, err
	}
	if err := s.publish(ctx, run); err != nil {
		return nil, apperr.Wrap(err, codes.Unavailable, apperr.ReasonUnavailable,
			"run %s is stored; its insights could not all be sent and will follow", run.ID)
	}
	return &analyticsv1.RunScoreResponse{Run: runToProto(run)}, nil
}

// publish sends a run home, unless it is there.
func (s *Server) publish(ctx context.Context, run Run) error {
	if run.InsightsPublished {
		return nil
	}
	operation.Step(ctx, snapshot.StepPublish)
	return s.publisher.Publish(ctx, run.ID.String())
}

// definition finds a definition that the caller may read; in use says that it must be, and of one of the kinds.
func (s *Server) definition(ctx context.Context, ref *analyticsv1.DefinitionRef, inUse bool, kinds ...string) (*definition.Definition, error) {
	d, err := s.definitions.ForCaller(ctx, definition.RefOf(ref))
	if err != nil {
		return nil, err
	}
	if !inUse {
		// An archived definition's models can still be looked at.
		seen := *d
		seen.Archived = false
		return d, seen.Runnable(kinds...)
	}
	return d, d.Runnable(kinds...)
}

// RunDefinition runs a definition by schedule, and returns the id of the run; it is a schedule.Runner.
func (s *Server) RunDefinition(ctx context.Context, d *definition.Definition, asOf time.Time) (string, error) {
	run, err := s.service.Compute(ctx, d, asOf)
	if err != nil {
		return "", err
	}
	// The run stands; its publisher keeps trying with insights that could not be sent.
	if err := s.publish(ctx, run); err != nil && ctx.Err() != nil {
		return "", err
	}
	return run.ID.String(), nil
}

// GetScoreRun returns a run.
func (s *Server) GetScoreRun(ctx context.Context, req *analyticsv1.GetScoreRunRequest) (*analyticsv1.GetScoreRunResponse, error) {
	run, err := s.find(ctx, req.GetRunId(), req.GetScore(), nil)
	if err != nil {
		return nil, err
	}
	return &analyticsv1.GetScoreRunResponse{Run: runToProto(run)}, nil
}

// runsToken continues a list of runs.
type runsToken struct {
	Computed int64  `json:"computed"`
	RunID    string `json:"run"`
}

// ListScoreRuns lists runs.
func (s *Server) ListScoreRuns(ctx context.Context, req *analyticsv1.ListScoreRunsRequest) (*analyticsv1.ListScoreRunsResponse, error) {
	parameters := []string{"score_runs", req.GetScore()}
	token, err := page.Decode[runsToken](req.GetPageToken(), parameters...)
	if err != nil {
		return nil, err
	}
	size := snapshot.PageSize(req.GetPageSize())
	// One more than asked for tells whether there is a next page.
	runs, err := s.service.store.runs(ctx, runsQuery(req.GetScore(), token, size+1))
	if err != nil {
		return nil, public(err)
	}
	answer := &analyticsv1.ListScoreRunsResponse{}
	if len(runs) > size {
		runs = runs[:size]
		last := runs[size-1]
		if answer.NextPageToken, err = page.Encode(runsToken{last.ComputedTime.UnixMicro(), last.ID.String()}, parameters...); err != nil {
			return nil, err
		}
	}
	for _, run := range runs {
		answer.Runs = append(answer.Runs, runToProto(run))
	}
	return answer, nil
}

// ListScores lists customers of a run.
func (s *Server) ListScores(ctx context.Context, req *analyticsv1.ListScoresRequest) (*analyticsv1.ListScoresResponse, error) {
	branches, limited, err := permission.Branches(ctx)
	if err != nil {
		return nil, err
	}
	parameters := []string{"scores", req.GetRunId(), req.GetScore(), req.GetOrder().String()}
	token, err := page.Decode[valuesToken](req.GetPageToken(), parameters...)
	if err != nil {
		return nil, err
	}
	runID := req.GetRunId()
	if token != nil {
		runID = token.RunID
	}
	run, err := s.find(ctx, runID, req.GetScore(), nil)
	if err != nil {
		return nil, err
	}
	by := byCustomer
	if req.GetOrder() == analyticsv1.ScoreOrder_SCORE_ORDER_HIGHEST_FIRST {
		by = highestFirst
	}
	size := snapshot.PageSize(req.GetPageSize())
	values, err := s.service.store.values(ctx, run, pageQuery(run, by, token, branches, limited, size+1))
	if err != nil {
		return nil, public(err)
	}
	answer := &analyticsv1.ListScoresResponse{RunId: run.ID.String()}
	if len(values) > size {
		values = values[:size]
		last := values[size-1]
		if answer.NextPageToken, err = page.Encode(valuesToken{run.ID.String(), last.Value, last.CustomerID}, parameters...); err != nil {
			return nil, err
		}
	}
	for _, v := range values {
		answer.Scores = append(answer.Scores, valueToProto(v, run))
	}
	return answer, nil
}

// ExplainScore explains a customer's score.
func (s *Server) ExplainScore(ctx context.Context, req *analyticsv1.ExplainScoreRequest) (*analyticsv1.ExplainScoreResponse, error) {
	branches, limited, err := permission.Branches(ctx)
	if err != nil {
		return nil, err
	}
	run, err := s.find(ctx, req.GetRunId(), req.GetScore(), req.GetAsOf())
	if err != nil {
		return nil, err
	}
	e, err := s.service.explain(ctx, run, uint64(req.GetCustomerId()), branches, limited, int(req.GetTrendMax())) //nolint:gosec // positive
	if err != nil {
		return nil, public(err)
	}
	return explanationToProto(e), nil
}

// TrainModel trains a model and puts it into the registry.
func (s *Server) TrainModel(ctx context.Context, req *analyticsv1.TrainModelRequest) (*analyticsv1.TrainModelResponse, error) {
	asOf, err := date.Field("as_of", req.GetAsOf())
	if err != nil {
		return nil, err
	}
	d, err := s.definition(ctx, req.GetDefinition(), true, definition.KindScoreModel)
	if err != nil {
		return nil, err
	}
	model, err := s.service.Train(ctx, d, asOf)
	if err != nil {
		return nil, err
	}
	return &analyticsv1.TrainModelResponse{Model: modelToProto(model, d.Spec.GetScoreModel())}, nil
}

// PromoteModel returns the definition with a model in a role.
func (s *Server) PromoteModel(ctx context.Context, req *analyticsv1.PromoteModelRequest) (*analyticsv1.PromoteModelResponse, error) {
	d, err := s.definition(ctx, req.GetDefinition(), true, definition.KindScoreModel)
	if err != nil {
		return nil, err
	}
	var ref *definitionv1.ScoreModelRef
	if req.GetTrainedAsOf() != nil {
		model, err := s.model(ctx, d, req.GetTrainedAsOf())
		if err != nil {
			return nil, err
		}
		ref = &definitionv1.ScoreModelRef{TrainedAsOf: day(model.TrainedAsOf)}
	}
	spec := proto.CloneOf(d.Spec)
	promote(spec.GetScoreModel(), ref, req.GetRole())
	return &analyticsv1.PromoteModelResponse{Spec: spec, DefinitionVersion: int64(d.Version)}, nil //nolint:gosec // versions are few
}

// promote gives a role to a model. A new champion that was the challenger is no challenger any more, and without a champion nobody
// is.
func promote(d *definitionv1.ScoreModelDefinition, ref *definitionv1.ScoreModelRef, role analyticsv1.ScoreModelRole) {
	if role == analyticsv1.ScoreModelRole_SCORE_MODEL_ROLE_CHALLENGER {
		d.Challenger = ref
		return
	}
	d.Champion = ref
	if ref == nil || d.GetChallenger().GetTrainedAsOf() == ref.GetTrainedAsOf() {
		d.Challenger = nil
	}
}

// GetModel returns a model of the registry.
func (s *Server) GetModel(ctx context.Context, req *analyticsv1.GetModelRequest) (*analyticsv1.GetModelResponse, error) {
	d, err := s.definition(ctx, req.GetDefinition(), false, definition.KindScoreModel)
	if err != nil {
		return nil, err
	}
	model, err := s.model(ctx, d, req.GetTrainedAsOf())
	if err != nil {
		return nil, err
	}
	return &analyticsv1.GetModelResponse{Model: modelToProto(model, d.Spec.GetScoreModel())}, nil
}

// model finds the model of a definition as of a day; of no day the one last trained.
func (s *Server) model(ctx context.Context, d *definition.Definition, asOf *datepb.Date) (*Model, error) {
	t, err := trainingOf(d.Spec.GetScoreModel())
	if err != nil {
		return nil, err
	}
	if asOf == nil {
		model, err := s.service.store.lastModel(ctx, d.Name, t.key)
		return model, public(err)
	}
	on, err := date.Field("trained_as_of", asOf)
	if err != nil {
		return nil, err
	}
	model, err := s.service.store.model(ctx, d.Name, t.key, on)
	return model, public(err)
}

// modelsToken continues a list of models.
type modelsToken struct {
	Before time.Time `json:"before"`
}

// ListModels lists models of a definition.
func (s *Server) ListModels(ctx context.Context, req *analyticsv1.ListModelsRequest) (*analyticsv1.ListModelsResponse, error) {
	d, err := s.definition(ctx, req.GetDefinition(), false, definition.KindScoreModel)
	if err != nil {
		return nil, err
	}
	t, err := trainingOf(d.Spec.GetScoreModel())
	if err != nil {
		return nil, err
	}
	parameters := []string{"score_models", d.Name, t.key}
	token, err := page.Decode[modelsToken](req.GetPageToken(), parameters...)
	if err != nil {
		return nil, err
	}
	var before time.Time
	if token != nil {
		before = token.Before
	}
	size := snapshot.PageSize(req.GetPageSize())
	models, err := s.service.store.modelsBefore(ctx, d.Name, t.key, before, size+1)
	if err != nil {
		return nil, public(err)
	}
	answer := &analyticsv1.ListModelsResponse{}
	if len(models) > size {
		models = models[:size]
		if answer.NextPageToken, err = page.Encode(modelsToken{models[size-1].TrainedAsOf}, parameters...); err != nil {
			return nil, err
		}
	}
	for _, m := range models {
		answer.Models = append(answer.Models, modelToProto(m, d.Spec.GetScoreModel()))
	}
	return answer, nil
}

// find returns a run by its id, or for no id the newest of a score and day.
func (s *Server) find(ctx context.Context, runID, score string, asOf *datepb.Date) (Run, error) {
	if runID != "" {
		id, err := uuid.Parse(runID)
		if err != nil {
			return Run{}, apperr.InvalidField("run_id", "must be a UUID")
		}
		run, err := s.service.store.first(ctx, runQuery(id))
		return run, public(err)
	}
	var on time.Time
	if asOf != nil {
		var err error
		if on, err = date.Field("as_of", asOf); err != nil {
			return Run{}, err
		}
	}
	run, err := s.service.store.first(ctx, lookQuery(score, on))
	return run, public(err)
}
