package rfm

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/shopspring/decimal"
	moneypb "google.golang.org/genproto/googleapis/type/money"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/date"
	"tandem.bank/pkg/money"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	"tandem.bank/services/analytics/internal/definition"
	"tandem.bank/services/analytics/internal/snapshot"
)

// Server is the RfmService: from proto to Service and back, nothing else.
type Server struct {
	analyticsv1.UnimplementedRfmServiceServer
	service *Service
	desk    *snapshot.Desk[Settings, Run, Score]
}

// NewServer returns the service.
func NewServer(s *Service, p snapshot.Publisher, d *definition.Store) *Server {
	return &Server{service: s, desk: &snapshot.Desk[Settings, Run, Score]{Room: s.Room, Publisher: p, Definitions: d}}
}

// RunRfm computes a snapshot, stores it, and sends the results home.
func (s *Server) RunRfm(ctx context.Context, req *analyticsv1.RunRfmRequest) (*analyticsv1.RunRfmResponse, error) {
	run, err := s.desk.Run(ctx, req.GetAsOf(), req.GetDefinition(), func(asOf time.Time) (Settings, error) {
		return NewSettings(asOf, int(req.GetWindowDays()), req.GetTransactionKinds())
	})
	if err != nil {
		return nil, err
	}
	answer, err := s.runToProto(ctx, run)
	if err != nil {
		return nil, err
	}
	return &analyticsv1.RunRfmResponse{Run: answer}, nil
}

// RunDefinition runs a definition by schedule, and returns the id of the run; it is a schedule.Runner.
func (s *Server) RunDefinition(ctx context.Context, d *definition.Definition, asOf time.Time) (string, error) {
	return s.desk.RunDefinition(ctx, d, asOf)
}

// GetRfmRun returns a run with its grid.
func (s *Server) GetRfmRun(ctx context.Context, req *analyticsv1.GetRfmRunRequest) (*analyticsv1.GetRfmRunResponse, error) {
	run, err := s.service.Find(ctx, req.GetRunId())
	if err != nil {
		return nil, err
	}
	answer, err := s.runToProto(ctx, run)
	if err != nil {
		return nil, err
	}
	return &analyticsv1.GetRfmRunResponse{Run: answer}, nil
}

// ListRfmScores lists customers of a run.
func (s *Server) ListRfmScores(ctx context.Context, req *analyticsv1.ListRfmScoresRequest) (*analyticsv1.ListRfmScoresResponse, error) {
	by, place := byCustomer, func(s Score) uint64 { return s.CustomerID }
	if req.GetOrder() == analyticsv1.RfmOrder_RFM_ORDER_BEST_FIRST {
		by, place = bestFirst, func(s Score) uint64 { return s.Place }
	}
	list, err := snapshot.List(ctx, s.service.Room, req, "rfm_scores", req.GetOrder().String(), s.service.store.page(by), place)
	if err != nil {
		return nil, err
	}
	answer := &analyticsv1.ListRfmScoresResponse{RunId: list.Run.ID.String(), NextPageToken: list.Next}
	for _, score := range list.Rows {
		row, err := scoreToProto(score, list.Run)
		if err != nil {
			return nil, err
		}
		answer.Scores = append(answer.Scores, row)
	}
	return answer, nil
}

//nolint:gosec // counts and days far below the limits
func (s *Server) runToProto(ctx context.Context, run Run) (*analyticsv1.RfmRun, error) {
	cells, err := s.service.store.grid(ctx, run)
	if err != nil {
		return nil, snapshot.Public(err)
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
