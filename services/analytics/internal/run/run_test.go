package run_test

import (
	"context"
	"log/slog"
	"testing"

	"google.golang.org/genproto/googleapis/type/date"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/auth"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	"tandem.bank/services/analytics/internal/operation"
	"tandem.bank/services/analytics/internal/run"
)

var sometime = &date.Date{Year: 2026, Month: 6, Day: 30}

func as(t *testing.T, subject, role string) context.Context {
	t.Helper()
	return auth.WithPrincipal(t.Context(), auth.Principal{Subject: subject, Roles: []string{role}})
}

// newServer runs RFM until its day is told, and refuses lifetime value.
func newServer(t *testing.T) *run.Server {
	t.Helper()
	s, err := run.New(run.Config{Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	run.Register(s, analyticsv1.RfmService_RunRfm_FullMethodName,
		func(ctx context.Context, req *analyticsv1.RunRfmRequest) (*analyticsv1.RunRfmResponse, error) {
			operation.Step(ctx, "compute")
			if req.GetAsOf() == nil {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			caller, _ := auth.FromContext(ctx)
			return &analyticsv1.RunRfmResponse{Run: &analyticsv1.RfmRun{RunId: caller.Subject, AsOf: req.GetAsOf()}}, nil
		})
	run.Register(s, analyticsv1.ScoreService_TrainModel_FullMethodName,
		func(context.Context, *analyticsv1.TrainModelRequest) (*analyticsv1.TrainModelResponse, error) {
			return nil, apperr.InvalidField("as_of", "lies too late")
		})
	t.Cleanup(func() {
		ended, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
		cancel()
		if err := s.Run(ended); err != nil {
			t.Error(err)
		}
	})
	return run.NewServer(s)
}

func begun(ctx context.Context, t *testing.T, s *run.Server, req *analyticsv1.StartRunRequest) *analyticsv1.RunOperation {
	t.Helper()
	answer, err := s.StartRun(ctx, req)
	if err != nil {
		t.Fatal(err)
	}
	return answer.GetOperation()
}

func rfmOf(day *date.Date) *analyticsv1.StartRunRequest {
	return &analyticsv1.StartRunRequest{Run: &analyticsv1.StartRunRequest_Rfm{Rfm: &analyticsv1.RunRfmRequest{AsOf: day}}}
}

// A run's answer, steps and error are those of its method, which knows the caller.
func TestRun(t *testing.T) {
	t.Parallel()
	s, eva := newServer(t), as(t, "eva", auth.RoleAnalyst)
	id := begun(eva, t, s, rfmOf(sometime)).GetId()
	done, err := s.WaitRunOperation(eva, &analyticsv1.WaitRunOperationRequest{Id: id})
	if got := done.GetOperation(); err != nil || got.GetKind() != "rfm" || got.GetStep() != "compute" || got.GetRfm().GetRun().GetRunId() != "eva" {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := s.GetRunOperation(as(t, "jana", auth.RoleAnalyst), &analyticsv1.GetRunOperationRequest{Id: id}); status.Code(err) != codes.NotFound {
		t.Errorf("somebody else found it: %v", err)
	}
	training := &analyticsv1.StartRunRequest{Run: &analyticsv1.StartRunRequest_Training{Training: &analyticsv1.TrainModelRequest{}}}
	failed, err := s.WaitRunOperation(eva, &analyticsv1.WaitRunOperationRequest{Id: begun(eva, t, s, training).GetId()})
	if got := failed.GetOperation(); err != nil || status.ErrorProto(got.GetError()) == nil || got.GetState() != analyticsv1.OperationState_OPERATION_STATE_FAILED {
		t.Errorf("%v, %v", got, err)
	}
	list, err := s.ListRunOperations(eva, &analyticsv1.ListRunOperationsRequest{})
	if err != nil || len(list.GetOperations()) != 2 || list.GetOperations()[1].GetResult() != nil {
		t.Errorf("%v, %v", list, err)
	}
}

// A run that is cancelled ends; who may not call the method may not start it; what nobody registered is not run.
func TestRefusals(t *testing.T) {
	t.Parallel()
	s, marketer := newServer(t), as(t, "eva", auth.RoleMarketer)
	cancelled, err := s.CancelRunOperation(marketer, &analyticsv1.CancelRunOperationRequest{Id: begun(marketer, t, s, rfmOf(nil)).GetId()})
	if err != nil || cancelled.GetOperation().GetState() != analyticsv1.OperationState_OPERATION_STATE_CANCELLED {
		t.Errorf("%v, %v", cancelled, err)
	}
	for want, req := range map[codes.Code]*analyticsv1.StartRunRequest{
		codes.PermissionDenied: {Run: &analyticsv1.StartRunRequest_Training{Training: &analyticsv1.TrainModelRequest{}}},
		codes.Unimplemented:    {Run: &analyticsv1.StartRunRequest_Clv{Clv: &analyticsv1.RunClvRequest{}}},
		codes.InvalidArgument:  {},
	} {
		if _, err := s.StartRun(marketer, req); status.Code(err) != want {
			t.Errorf("%v instead of %v", err, want)
		}
	}
}
