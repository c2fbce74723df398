package interaction

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
	"tandem.bank/services/crm/internal/request"
)

// Steps in the life of a case.
const (
	stepAnswer  = "answer"
	stepResolve = "resolve"
	stepReopen  = "reopen"
	stepRate    = "rate"
)

// caseLife is what can be done with a complaint or request. A resolution at the first contact needs no answer before.
var caseLife = record.StateMachine{
	{Name: stepAnswer, From: stateOpen, To: stateAnswered},
	{Name: stepResolve, From: stateOpen, To: stateResolved},
	{Name: stepResolve, From: stateAnswered, To: stateResolved},
	{Name: stepReopen, From: stateResolved, To: stateAnswered},
	{Name: stepRate, From: stateResolved, To: stateResolved},
}

// clockSkewMax is how far the clock of a caller may be ahead.
const clockSkewMax = time.Minute

// stepRequest is what the requests of all steps have.
type stepRequest interface {
	proto.Message
	GetInteractionId() int64
	GetEtag() string
	GetRequestId() string
	GetTime() *timestamppb.Timestamp
}

// AnswerInteraction notes the first answer to a case.
func (s *Server) AnswerInteraction(ctx context.Context, req *crmv1.AnswerInteractionRequest) (*crmv1.AnswerInteractionResponse, error) {
	interaction, err := s.step(ctx, req, stepAnswer, func(r *Row, at time.Time) error {
		r.FirstAnswerAt = &at
		return nil
	})
	return &crmv1.AnswerInteractionResponse{Interaction: interaction}, err
}

// ResolveInteraction notes the resolution of a case.
func (s *Server) ResolveInteraction(ctx context.Context, req *crmv1.ResolveInteractionRequest) (*crmv1.ResolveInteractionResponse, error) {
	interaction, err := s.step(ctx, req, stepResolve, func(r *Row, at time.Time) error {
		if err := notBefore(at, r.FirstAnswerAt, "first_answer_time"); err != nil {
			return err
		}
		if err := notBefore(at, r.ReopenedAt, "reopened_time"); err != nil {
			return err
		}
		r.ResolvedAt = &at
		if r.FirstAnswerAt == nil {
			r.FirstAnswerAt = &at
		}
		if req.GetOutcome() != "" {
			r.Outcome = req.GetOutcome()
		}
		return nil
	})
	return &crmv1.ResolveInteractionResponse{Interaction: interaction}, err
}

// ReopenInteraction opens a resolved case again.
func (s *Server) ReopenInteraction(ctx context.Context, req *crmv1.ReopenInteractionRequest) (*crmv1.ReopenInteractionResponse, error) {
	var in record.Reader
	due := in.Time("due_time", req.GetDueTime())
	if err := apperr.Invalid(in.Violations...); err != nil {
		return nil, err
	}
	interaction, err := s.step(ctx, req, stepReopen, func(r *Row, at time.Time) error {
		if err := notBefore(at, r.ResolvedAt, "resolved_time"); err != nil {
			return err
		}
		if due != nil && due.Before(at) {
			return apperr.InvalidField("due_time", "must not be before the time of reopening")
		}
		r.ResolvedAt, r.RatedAt, r.Satisfaction = nil, nil, 0
		r.ReopenedAt = &at
		r.ReopenedCount++
		if due != nil {
			r.DueAt, r.ServiceLevelID = due, nil
		}
		return nil
	})
	return &crmv1.ReopenInteractionResponse{Interaction: interaction}, err
}

// RateInteraction notes the customer's rating.
func (s *Server) RateInteraction(ctx context.Context, req *crmv1.RateInteractionRequest) (*crmv1.RateInteractionResponse, error) {
	interaction, err := s.step(ctx, req, stepRate, func(r *Row, at time.Time) error {
		if err := notBefore(at, r.ResolvedAt, "resolved_time"); err != nil {
			return err
		}
		r.Satisfaction, r.RatedAt = req.GetSatisfaction(), &at
		return nil
	})
	return &crmv1.RateInteractionResponse{Interaction: interaction}, err
}

// step takes one step of one interaction under its row lock.
func (s *Server) step(ctx context.Context, req stepRequest, name string, apply func(*Row, time.Time) error) (*crmv1.Interaction, error) {
	var in record.Reader
	given := in.Time("time", req.GetTime())
	if err := apperr.Invalid(in.Violations...); err != nil {
		return nil, err
	}
	return request.Once(ctx, s.pool, req.GetRequestId(), name+"interaction", req, func(tx pgx.Tx) (*crmv1.Interaction, error) {
		r, err := lock(ctx, tx, req.GetInteractionId())
		if err != nil {
			return nil, err
		}
		if req.GetEtag() != "" && req.GetEtag() != r.Etag() {
			return nil, apperr.New(codes.Aborted, apperr.ReasonEtagMismatch, "interaction %d was changed by somebody else; read it again", r.ID)
		}
		if err := r.Row.mayStep(name); err != nil {
			return nil, err
		}
		at, err := r.Row.momentOf(given, time.Now())
		if err != nil {
			return nil, err
		}
		old := r.Row
		if err := apply(&r.Row, at); err != nil {
			return nil, err
		}
		if err := s.store.Rewrite(ctx, tx, []*record.Record[Row]{r}, []*Row{&old}); err != nil {
			return nil, err
		}
		return ToProto(r), nil
	})
}

func lock(ctx context.Context, tx pgx.Tx, id int64) (*record.Record[Row], error) {
	found, err := Table.Select(ctx, tx, "interaction_id = $1 FOR NO KEY UPDATE", id)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, apperr.NotFound("interaction %d does not exist", id)
	}
	return found[0], nil
}

// mayStep refuses a step that the state of the case does not allow. What is no case can only be rated.
func (r *Row) mayStep(name string) error {
	if !r.isCase() {
		if name == stepRate {
			return nil
		}
		text := "a " + r.Kind + " is no complaint or request; allowed: " + stepRate
		return &apperr.Error{
			Code: codes.FailedPrecondition, Reason: apperr.ReasonWrongTransition, Message: "case_state: " + text,
			Violations: []apperr.Violation{{Field: "case_state", Description: text}},
		}
	}
	_, err := caseLife.Step("case_state", name, r.caseState())
	return err
}

// momentOf is when a step was taken: as given, or now.
func (r *Row) momentOf(given *time.Time, now time.Time) (time.Time, error) {
	if given == nil {
		at := now.Truncate(time.Microsecond)
		if at.Before(*r.OpenedAt) { // the clock of whoever opened it is ahead
			at = *r.OpenedAt
		}
		return at, nil
	}
	if given.After(now.Add(clockSkewMax)) {
		return *given, apperr.InvalidField("time", "must not be in the future")
	}
	return *given, notBefore(*given, r.OpenedAt, "opened_time")
}

func notBefore(at time.Time, earlier *time.Time, field string) error {
	if earlier != nil && at.Before(*earlier) {
		return apperr.InvalidField("time", "must not be before %s %s", field, earlier.UTC().Format(time.RFC3339))
	}
	return nil
}
