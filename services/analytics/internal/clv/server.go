package clv

import (
	"context"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/date"
	"tandem.bank/pkg/page"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	"tandem.bank/services/analytics/internal/definition"
)

// Server is the ClvService: from proto to Service and back, nothing else.
type Server struct {
	analyticsv1.UnimplementedClvServiceServer
	service     *Service
	publisher   Publisher
	definitions *definition.Store
}

// NewServer returns the service.
func NewServer(s *Service, p Publisher, d *definition.Store) *Server {
	return &Server{service: s, publisher: p, definitions: d}
}

// RunClv computes a snapshot, stores it, and sends the results home.
func (s *Server) RunClv(ctx context.Context, req *analyticsv1.RunClvRequest) (*analyticsv1.RunClvResponse, error) {
	asOf, err := date.Time(req.GetAsOf())
	if err != nil {
		return nil, apperr.InvalidField("as_of", "%v", err)
	}
	settings, err := s.settings(ctx, asOf, req)
	if err != nil {
		return nil, err
	}
	run, err := s.service.Compute(ctx, settings)
	if err != nil {
		return nil, err
	}
	if err := s.publisher.Publish(ctx, run.ID.String()); err != nil {
		return nil, apperr.Wrap(err, codes.Unavailable, apperr.ReasonUnavailable,
			"run %s is stored; its insights could not all be sent and will follow", run.ID)
	}
	answer, err := runToProto(run)
	response := &analyticsv1.RunClvResponse{Run: answer}
	for _, step := range run.Steps {
		response.Steps = append(response.Steps, &analyticsv1.ClvStep{Name: step.Name, Took: durationpb.New(step.Took)})
	}
	return response, err
}

// settings are those of the request, or of the definition that it names.
func (s *Server) settings(ctx context.Context, asOf time.Time, req *analyticsv1.RunClvRequest) (Settings, error) {
	ref := req.GetDefinition()
	if ref == nil {
		return NewSettings(asOf, req.GetSettings())
	}
	d, err := s.definitions.ForCaller(ctx, definition.Ref{Name: ref.GetName(), Version: uint64(ref.GetVersion())}) //nolint:gosec // not negative
	if err != nil {
		return Settings{}, err
	}
	if err := d.Runnable(definition.KindCLV); err != nil {
		return Settings{}, err
	}
	return NewSettings(asOf, d.Spec.GetClv())
}

// RunDefinition runs a definition by schedule, and returns the id of the run; it is a schedule.Runner.
func (s *Server) RunDefinition(ctx context.Context, d *definition.Definition, asOf time.Time) (string, error) {
	settings, err := NewSettings(asOf, d.Spec.GetClv())
	if err != nil {
		return "", err
	}
	run, err := s.service.Compute(ctx, settings)
	if err != nil {
		return "", err
	}
	// The run stands; its publisher keeps trying with insights that could not be sent.
	if err := s.publisher.Publish(ctx, run.ID.String()); err != nil && ctx.Err() != nil {
		return "", err
	}
	return run.ID.String(), nil
}

// GetClvRun returns a run.
func (s *Server) GetClvRun(ctx context.Context, req *analyticsv1.GetClvRunRequest) (*analyticsv1.GetClvRunResponse, error) {
	run, err := s.find(ctx, req.GetRunId())
	if err != nil {
		return nil, err
	}
	answer, err := runToProto(run)
	return &analyticsv1.GetClvRunResponse{Run: answer}, err
}

// runsToken continues a list of runs.
type runsToken struct {
	Computed int64  `json:"computed"`
	RunID    string `json:"run"`
}

// ListClvRuns lists runs.
func (s *Server) ListClvRuns(ctx context.Context, req *analyticsv1.ListClvRunsRequest) (*analyticsv1.ListClvRunsResponse, error) {
	token, err := page.Decode[runsToken](req.GetPageToken(), "clv_runs")
	if err != nil {
		return nil, err
	}
	size := sizeOf(req.GetPageSize())
	q := runsQuery("1", lastFirst, size+1)
	if token != nil {
		q = runsQuery("(computed_time, run_id) < (fromUnixTimestamp64Micro({computed:Int64}, 'UTC'), {run_id:UUID})", lastFirst, size+1,
			named("computed", token.Computed), named("run_id", token.RunID))
	}
	runs, err := s.service.store.runs(ctx, q)
	if err != nil {
		return nil, public(err)
	}
	answer := &analyticsv1.ListClvRunsResponse{}
	if len(runs) > size {
		runs = runs[:size]
		last := runs[size-1]
		if answer.NextPageToken, err = page.Encode(runsToken{last.ComputedTime.UnixMicro(), last.ID.String()}, "clv_runs"); err != nil {
			return nil, err
		}
	}
	for _, run := range runs {
		row, err := runToProto(run)
		if err != nil {
			return nil, err
		}
		answer.Runs = append(answer.Runs, row)
	}
	return answer, nil
}

// valuesToken continues a list in the run it began with, even when there is a newer one by then.
type valuesToken struct {
	RunID string `json:"run"`
	After uint64 `json:"after"`
}

var orders = map[analyticsv1.ClvOrder]order{
	analyticsv1.ClvOrder_CLV_ORDER_UNSPECIFIED: byCustomer,
	analyticsv1.ClvOrder_CLV_ORDER_PREDICTIVE:  byPredictive,
	analyticsv1.ClvOrder_CLV_ORDER_HISTORIC:    byHistoric,
}

// ListClvValues lists customers of a run.
func (s *Server) ListClvValues(ctx context.Context, req *analyticsv1.ListClvValuesRequest) (*analyticsv1.ListClvValuesResponse, error) {
	parameters := []string{"clv_values", req.GetRunId(), req.GetOrder().String()}
	token, err := page.Decode[valuesToken](req.GetPageToken(), parameters...)
	if err != nil {
		return nil, err
	}
	runID, after := req.GetRunId(), uint64(0)
	if token != nil {
		runID, after = token.RunID, token.After
	}
	run, err := s.find(ctx, runID)
	if err != nil {
		return nil, err
	}
	by, size := orders[req.GetOrder()], sizeOf(req.GetPageSize())
	answer := &analyticsv1.ListClvValuesResponse{RunId: run.ID.String()}
	var last Value
	// One more than asked for tells whether there is a next page.
	err = s.service.store.values(ctx, pageQuery(run, by, after, size+1), func(v Value) error {
		if len(answer.GetValues()) == size {
			answer.NextPageToken, err = page.Encode(valuesToken{run.ID.String(), last.at(by)}, parameters...)
			return err
		}
		last = v
		row, err := valueToProto(v, run)
		answer.Values = append(answer.Values, row)
		return err
	})
	return answer, public(err)
}

// at is where a list in some order stands after a value.
func (v Value) at(by order) uint64 {
	switch by {
	case byPredictive:
		return v.Place
	case byHistoric:
		return v.HistoricPlace
	case byCustomer:
	}
	return v.CustomerID
}

var purposes = map[analyticsv1.ClvModelPurpose]string{
	analyticsv1.ClvModelPurpose_CLV_MODEL_PURPOSE_UNSPECIFIED: purposeForecast,
	analyticsv1.ClvModelPurpose_CLV_MODEL_PURPOSE_FORECAST:    purposeForecast,
	analyticsv1.ClvModelPurpose_CLV_MODEL_PURPOSE_HOLDOUT:     purposeHoldout,
}

// GetClvModel returns a model of the registry.
func (s *Server) GetClvModel(ctx context.Context, req *analyticsv1.GetClvModelRequest) (*analyticsv1.GetClvModelResponse, error) {
	run, err := s.find(ctx, req.GetRunId())
	if err != nil {
		return nil, err
	}
	entry, found, err := s.service.store.model(ctx, run, purposes[req.GetPurpose()], req.GetGroup())
	if err != nil {
		return nil, public(err)
	}
	if !found {
		return nil, apperr.NotFound("run %s has no such model for the group %q", run.ID, req.GetGroup())
	}
	return &analyticsv1.GetClvModelResponse{Model: modelToProto(entry, run)}, nil
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
	run, err := s.find(ctx, runID)
	if err != nil {
		return nil, err
	}
	wanted := []string{purposeForecast, purposeHoldout}
	if req.GetPurpose() != analyticsv1.ClvModelPurpose_CLV_MODEL_PURPOSE_UNSPECIFIED {
		wanted = []string{purposes[req.GetPurpose()]}
	}
	size := sizeOf(req.GetPageSize())
	entries, err := s.service.store.models(ctx, run, wanted, after, size+1)
	if err != nil {
		return nil, public(err)
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
		answer.Models = append(answer.Models, modelToProto(entry, run))
	}
	return answer, nil
}

// GetClvBacktest returns the backtest of a run.
func (s *Server) GetClvBacktest(ctx context.Context, req *analyticsv1.GetClvBacktestRequest) (*analyticsv1.GetClvBacktestResponse, error) {
	run, err := s.find(ctx, req.GetRunId())
	if err != nil {
		return nil, err
	}
	result, found, err := s.service.store.backtest(ctx, run, req.GetGroup())
	if err != nil {
		return nil, public(err)
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
	run, err := s.find(ctx, req.GetRunId())
	if err != nil {
		return nil, err
	}
	explanation, err := s.service.explain(ctx, run, uint64(req.GetCustomerId())) //nolint:gosec // positive
	if err != nil {
		return nil, public(err)
	}
	return explanationToProto(explanation)
}

// GetClvSlices sums up the customers of a run.
func (s *Server) GetClvSlices(ctx context.Context, req *analyticsv1.GetClvSlicesRequest) (*analyticsv1.GetClvSlicesResponse, error) {
	run, err := s.find(ctx, req.GetRunId())
	if err != nil {
		return nil, err
	}
	moments, err := s.service.store.days(ctx, run, int(req.GetRunsBefore()))
	if err != nil {
		return nil, public(err)
	}
	points, err := s.service.store.slices(ctx, req.GetBy(), moments, sizeOf(req.GetSlicesMax()))
	if err != nil {
		return nil, public(err)
	}
	goals, err := s.service.store.goals(ctx, run, req, moments)
	if err != nil {
		return nil, public(err)
	}
	return slicesToProto(run, points, goals)
}

// find returns a run by its id, or the last computed for no id.
func (s *Server) find(ctx context.Context, runID string) (Run, error) {
	id := uuid.Nil
	if runID != "" {
		var err error
		if id, err = uuid.Parse(runID); err != nil {
			return Run{}, apperr.InvalidField("run_id", "must be a UUID")
		}
	}
	run, err := s.service.store.run(ctx, id)
	return run, public(err)
}

func sizeOf(requested int32) int {
	if requested == 0 {
		return page.SizeDefault
	}
	return int(requested)
}
