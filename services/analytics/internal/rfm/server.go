package rfm

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	moneypb "google.golang.org/genproto/googleapis/type/money"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/date"
	"tandem.bank/pkg/money"
	"tandem.bank/pkg/page"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	"tandem.bank/services/analytics/internal/definition"
)

// Server is the RfmService: from proto to Service and back, nothing else.
type Server struct {
	analyticsv1.UnimplementedRfmServiceServer
	service     *Service
	publisher   Publisher
	definitions *definition.Store
}

// NewServer returns the service.
func NewServer(s *Service, p Publisher, d *definition.Store) *Server {
	return &Server{service: s, publisher: p, definitions: d}
}

// RunRfm computes a snapshot, stores it, and sends the results home.
func (s *Server) RunRfm(ctx context.Context, req *analyticsv1.RunRfmRequest) (*analyticsv1.RunRfmResponse, error) {
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
	answer, err := s.runToProto(ctx, run)
	if err != nil {
		return nil, err
	}
	return &analyticsv1.RunRfmResponse{Run: answer}, nil
}

// settings are those of the request, or of the definition that it names.
func (s *Server) settings(ctx context.Context, asOf time.Time, req *analyticsv1.RunRfmRequest) (Settings, error) {
	ref := req.GetDefinition()
	if ref == nil {
		return NewSettings(asOf, int(req.GetWindowDays()), req.GetTransactionKinds())
	}
	d, err := s.definitions.ForCaller(ctx, definition.Ref{Name: ref.GetName(), Version: uint64(ref.GetVersion())}) //nolint:gosec // not negative
	if err != nil {
		return Settings{}, err
	}
	if err := d.Runnable(definition.KindRFM); err != nil {
		return Settings{}, err
	}
	return SettingsOf(asOf, d.Spec.GetRfm())
}

// RunDefinition runs a definition by schedule, and returns the id of the run; it is a schedule.Runner.
func (s *Server) RunDefinition(ctx context.Context, d *definition.Definition, asOf time.Time) (string, error) {
	settings, err := SettingsOf(asOf, d.Spec.GetRfm())
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

// GetRfmRun returns a run with its grid.
func (s *Server) GetRfmRun(ctx context.Context, req *analyticsv1.GetRfmRunRequest) (*analyticsv1.GetRfmRunResponse, error) {
	run, err := s.find(ctx, req.GetRunId())
	if err != nil {
		return nil, err
	}
	answer, err := s.runToProto(ctx, run)
	if err != nil {
		return nil, err
	}
	return &analyticsv1.GetRfmRunResponse{Run: answer}, nil
}

// scoresToken continues a list in the run it began with, even when there is a newer one by then.
type scoresToken struct {
	RunID string `json:"run"`
	After uint64 `json:"after"`
}

// ListRfmScores lists customers of a run.
func (s *Server) ListRfmScores(ctx context.Context, req *analyticsv1.ListRfmScoresRequest) (*analyticsv1.ListRfmScoresResponse, error) {
	parameters := []string{"rfm_scores", req.GetRunId(), req.GetOrder().String()}
	token, err := page.Decode[scoresToken](req.GetPageToken(), parameters...)
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
	by := byCustomer
	if req.GetOrder() == analyticsv1.RfmOrder_RFM_ORDER_BEST_FIRST {
		by = bestFirst
	}
	size := int(req.GetPageSize())
	if size == 0 {
		size = page.SizeDefault
	}
	scores := make([]Score, 0, size+1)
	// One more than asked for tells whether there is a next page.
	err = s.service.store.scores(ctx, pageQuery(run, by, after, size+1), func(score Score) error {
		scores = append(scores, score)
		return nil
	})
	if err != nil {
		return nil, public(err)
	}
	answer := &analyticsv1.ListRfmScoresResponse{RunId: run.ID.String()}
	if len(scores) > size {
		scores = scores[:size]
		if answer.NextPageToken, err = page.Encode(nextToken(run, by, scores[size-1]), parameters...); err != nil {
			return nil, err
		}
	}
	for _, score := range scores {
		row, err := scoreToProto(score, run)
		if err != nil {
			return nil, err
		}
		answer.Scores = append(answer.Scores, row)
	}
	return answer, nil
}

func nextToken(run Run, by order, last Score) scoresToken {
	if by == bestFirst {
		return scoresToken{run.ID.String(), last.Place}
	}
	return scoresToken{run.ID.String(), last.CustomerID}
}

// find returns a run by its id, or the newest for no id.
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

//nolint:gosec // counts and days far below the limits
func (s *Server) runToProto(ctx context.Context, run Run) (*analyticsv1.RfmRun, error) {
	cells, err := s.service.store.grid(ctx, run)
	if err != nil {
		return nil, public(err)
	}
	total, err := amount(run.Monetary, run.BaseCurrency)
	if err != nil {
		return nil, err
	}
	answer := &analyticsv1.RfmRun{
		RunId: run.ID.String(), AsOf: date.Proto(run.AsOf), WindowDays: int32(run.WindowDays), TransactionKinds: run.Kinds,
		Customers: int64(run.Customers), Transactions: int64(run.Transactions), Monetary: total,
		ComputedTime: timestamppb.New(run.ComputedTime), Bins: int32(run.Bins),
	}
	if !run.NewestEventTime.IsZero() {
		answer.NewestEventTime = timestamppb.New(run.NewestEventTime)
	}
	for i := range run.RecencyEdges {
		answer.RecencyEdges = append(answer.RecencyEdges, int32(run.RecencyEdges[i]))
		answer.FrequencyEdges = append(answer.FrequencyEdges, int64(run.FrequencyEdges[i]))
		answer.MonetaryEdges = append(answer.MonetaryEdges, run.MonetaryEdges[i].String())
	}
	for _, cell := range cells {
		value, err := amount(cell.Monetary, run.BaseCurrency)
		if err != nil {
			return nil, err
		}
		answer.Grid = append(answer.Grid, &analyticsv1.RfmGridCell{
			Recency: int32(cell.Recency), Frequency: int32(cell.Frequency), Customers: int64(cell.Customers), Monetary: value,
		})
	}
	answer.Segments, err = s.segmentSums(ctx, run)
	return answer, err
}

//nolint:gosec // ids and counts come from int64s and stay below
func scoreToProto(s Score, run Run) (*analyticsv1.RfmScore, error) {
	value, err := amount(s.Monetary, run.BaseCurrency)
	if err != nil {
		return nil, err
	}
	return &analyticsv1.RfmScore{
		CustomerId: int64(s.CustomerID), RecencyDays: int32(s.RecencyDays), Frequency: int64(s.Frequency), Monetary: value, Cell: s.Cell(),
		Segment: run.segment(s.Cell()),
	}, nil
}

// amount renders money, unless the sum is beyond what google.type.Money can hold.
func amount(value decimal.Decimal, currency string) (*moneypb.Money, error) {
	if value.Abs().GreaterThan(decimal.New(math.MaxInt64, 0)) {
		return nil, fmt.Errorf("sum %s %s does not fit google.type.Money", value, currency)
	}
	return money.Proto(value, currency), nil
}
