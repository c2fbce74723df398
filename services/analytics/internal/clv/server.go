package clv

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/page"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	"tandem.bank/services/analytics/internal/definition"
	"tandem.bank/services/analytics/internal/snapshot"
)

// Server is the ClvService: from proto to Service and back, nothing else.
type Server struct {
	analyticsv1.UnimplementedClvServiceServer
	service *Service
	desk    *snapshot.Desk[Settings, Run, Value]
}

// NewServer returns the service.
func NewServer(s *Service, p snapshot.Publisher, d *definition.Store) *Server {
	return &Server{service: s, desk: &snapshot.Desk[Settings, Run, Value]{Room: s.Room, Publisher: p, Definitions: d}}
}

// RunClv computes a snapshot, stores it, and sends the results home.
func (s *Server) RunClv(ctx context.Context, req *analyticsv1.RunClvRequest) (*analyticsv1.RunClvResponse, error) {
	run, err := s.desk.Run(ctx, req.GetAsOf(), req.GetDefinition(), func(asOf time.Time) (Settings, error) {
		return NewSettings(asOf, req.GetSettings())
	})
	if err != nil {
		return nil, err
	}
	answer, err := runToProto(run)
	response := &analyticsv1.RunClvResponse{Run: answer}
	for _, step := range run.Steps {
		response.Steps = append(response.Steps, &analyticsv1.ClvStep{Name: step.Name, Took: durationpb.New(step.Took)})
	}
	if err != nil {
		return nil, err
	}
	response.Warnings, err = s.service.store.warnings(ctx, run)
	return response, snapshot.Public(err)
}

// RunDefinition runs a definition by schedule, and returns the id of the run; it is a schedule.Runner.
func (s *Server) RunDefinition(ctx context.Context, d *definition.Definition, asOf time.Time) (string, error) {
	return s.desk.RunDefinition(ctx, d, asOf)
}

// GetClvRun returns a run.
func (s *Server) GetClvRun(ctx context.Context, req *analyticsv1.GetClvRunRequest) (*analyticsv1.GetClvRunResponse, error) {
	run, err := s.service.Find(ctx, req.GetRunId())
	if err != nil {
		return nil, err
	}
	answer, err := runToProto(run)
	if err != nil {
		return nil, err
	}
	warnings, err := s.service.store.warnings(ctx, run)
	return &analyticsv1.GetClvRunResponse{Run: answer, Warnings: warnings}, snapshot.Public(err)
}

// ListClvRuns lists runs.
func (s *Server) ListClvRuns(ctx context.Context, req *analyticsv1.ListClvRunsRequest) (*analyticsv1.ListClvRunsResponse, error) {
	runs, next, err := snapshot.ListRuns(ctx, s.service.Room, req.GetPageSize(), req.GetPageToken(), "clv_runs")
	if err != nil {
		return nil, err
	}
	answer := &analyticsv1.ListClvRunsResponse{NextPageToken: next}
	for _, run := range runs {
		row, err := runToProto(run)
		if err != nil {
			return nil, err
		}
		answer.Runs = append(answer.Runs, row)
	}
	return answer, nil
}

// listing is how an order is read, and where a value stands in it.
type listing struct {
	by    order
	place func(Value) uint64
}

var listings = map[analyticsv1.ClvOrder]listing{
	analyticsv1.ClvOrder_CLV_ORDER_UNSPECIFIED: {byCustomer, func(v Value) uint64 { return v.CustomerID }},
	analyticsv1.ClvOrder_CLV_ORDER_PREDICTIVE:  {byPredictive, func(v Value) uint64 { return v.Place }},
	analyticsv1.ClvOrder_CLV_ORDER_HISTORIC:    {byHistoric, func(v Value) uint64 { return v.HistoricPlace }},
}

// ListClvValues lists customers of a run.
func (s *Server) ListClvValues(ctx context.Context, req *analyticsv1.ListClvValuesRequest) (*analyticsv1.ListClvValuesResponse, error) {
	how := listings[req.GetOrder()]
	list, err := snapshot.List(ctx, s.service.Room, req, "clv_values", req.GetOrder().String(), s.service.store.page(how.by), how.place)
	if err != nil {
		return nil, err
	}
	answer := &analyticsv1.ListClvValuesResponse{RunId: list.Run.ID.String(), NextPageToken: list.Next}
	for _, v := range list.Rows {
		row, err := valueToProto(v, list.Run)
		if err != nil {
			return nil, err
		}
		answer.Values = append(answer.Values, row)
	}
	return answer, nil
}

var purposes = map[analyticsv1.ClvModelPurpose]string{
	analyticsv1.ClvModelPurpose_CLV_MODEL_PURPOSE_UNSPECIFIED: purposeForecast,
	analyticsv1.ClvModelPurpose_CLV_MODEL_PURPOSE_FORECAST:    purposeForecast,
	analyticsv1.ClvModelPurpose_CLV_MODEL_PURPOSE_HOLDOUT:     purposeHoldout,
}

// GetClvModel returns a model of the registry.
func (s *Server) GetClvModel(ctx context.Context, req *analyticsv1.GetClvModelRequest) (*analyticsv1.GetClvModelResponse, error) {
	run, err := s.service.Find(ctx, req.GetRunId())
	if err != nil {
		return nil, err
	}
	entry, found, err := s.service.store.model(ctx, run, purposes[req.GetPurpose()], req.GetGroup())
	if err != nil {
		return nil, snapshot.Public(err)
	}
	if !found {
		return nil, apperr.NotFound("run %s has no such model for the group %q", run.ID, req.GetGroup())
	}
	model, err := modelToProto(entry, run)
	return &analyticsv1.GetClvModelResponse{Model: model}, err
}

// modelsToken continues a list of models.
type modelsToken struct {
	RunID   string `json:"run"`
	Purpose string `json:"purpose"`
	Group   string `json:"group"`
}

// ListClvModels lists the models of a run.
func (s *Server) ListClvModels(ctx context.Context, req *analyticsv1.ListClvModelsRequest) (*analyticsv1.ListClvModelsResponse, error) {
	parameters := []string{"clv_models", req.GetRunId(), req.GetPurpose().String()}
	token, err := page.Decode[modelsToken](req.GetPageToken(), parameters...)
	if err != nil {
		return nil, err
	}
	runID, after := req.GetRunId(), Entry{}
	if token != nil {
		runID, after = token.RunID, Entry{Purpose: token.Purpose, Group: token.Group}
	}
	run, err := s.service.Find(ctx, runID)
	if err != nil {
		return nil, err
	}
	wanted := []string{purposeForecast, purposeHoldout}
	if req.GetPurpose() != analyticsv1.ClvModelPurpose_CLV_MODEL_PURPOSE_UNSPECIFIED {
		wanted = []string{purposes[req.GetPurpose()]}
	}
	size := snapshot.PageSize(req.GetPageSize())
	entries, err := s.service.store.models(ctx, run, wanted, after, size+1)
	if err != nil {
		return nil, snapshot.Public(err)
	}
	answer := &analyticsv1.ListClvModelsResponse{RunId: run.ID.String()}
	if len(entries) > size {
		entries = entries[:size]
		last := modelsToken{run.ID.String(), entries[size-1].Purpose, entries[size-1].Group}
		if answer.NextPageToken, err = page.Encode(last, parameters...); err != nil {
			return nil, err
		}
	}
	for _, entry := range entries {
		model, err := modelToProto(entry, run)
		if err != nil {
			return nil, err
		}
		answer.Models = append(answer.Models, model)
	}
	return answer, nil
}

// GetClvBacktest returns the backtest of a run.
func (s *Server) GetClvBacktest(ctx context.Context, req *analyticsv1.GetClvBacktestRequest) (*analyticsv1.GetClvBacktestResponse, error) {
	run, err := s.service.Find(ctx, req.GetRunId())
	if err != nil {
		return nil, err
	}
	result, found, err := s.service.store.backtest(ctx, run, req.GetGroup())
	if err != nil {
		return nil, snapshot.Public(err)
	}
	if !found {
		return nil, apperr.NotFound("run %s has no backtest of the group %q: its history before the holdout was too short for a model",
			run.ID, req.GetGroup())
	}
	answer, err := backtestToProto(result, run)
	return &analyticsv1.GetClvBacktestResponse{Backtest: answer}, err
}

// ExplainClv explains a customer's values.
func (s *Server) ExplainClv(ctx context.Context, req *analyticsv1.ExplainClvRequest) (*analyticsv1.ExplainClvResponse, error) {
	run, err := s.service.Find(ctx, req.GetRunId())
	if err != nil {
		return nil, err
	}
	explanation, err := s.service.explain(ctx, run, uint64(req.GetCustomerId())) //nolint:gosec // positive
	if err != nil {
		return nil, snapshot.Public(err)
	}
	return explanationToProto(explanation)
}

// GetClvSlices sums up the customers of a run.
func (s *Server) GetClvSlices(ctx context.Context, req *analyticsv1.GetClvSlicesRequest) (*analyticsv1.GetClvSlicesResponse, error) {
	run, err := s.service.Find(ctx, req.GetRunId())
	if err != nil {
		return nil, err
	}
	moments, err := s.service.store.days(ctx, run, int(req.GetRunsBefore()))
	if err != nil {
		return nil, snapshot.Public(err)
	}
	points, err := s.service.store.slices(ctx, req.GetBy(), moments, snapshot.PageSize(req.GetSlicesMax()))
	if err != nil {
		return nil, snapshot.Public(err)
	}
	goals, err := s.service.store.goals(ctx, run, req, moments)
	if err != nil {
		return nil, snapshot.Public(err)
	}
	return slicesToProto(run, points, goals)
}
