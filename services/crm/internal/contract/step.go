package contract

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
)

var (
	stateDraft     = record.EnumText(crmv1.ContractState_CONTRACT_STATE_DRAFT)
	stateSigned    = record.EnumText(crmv1.ContractState_CONTRACT_STATE_SIGNED)
	stateRunning   = record.EnumText(crmv1.ContractState_CONTRACT_STATE_RUNNING)
	stateInArrears = record.EnumText(crmv1.ContractState_CONTRACT_STATE_IN_ARREARS)
	stateFinished  = record.EnumText(crmv1.ContractState_CONTRACT_STATE_FINISHED)
	stateDefaulted = record.EnumText(crmv1.ContractState_CONTRACT_STATE_DEFAULTED)
	stateCancelled = record.EnumText(crmv1.ContractState_CONTRACT_STATE_CANCELLED)
)

// states is the life of a contract for people. The system that owns a contract is not held to it: its corrections pass.
var states = record.StateMachine{
	{Name: "sign", From: stateDraft, To: stateSigned},
	{Name: "start", From: stateSigned, To: stateRunning},
	{Name: "mark_in_arrears", From: stateRunning, To: stateInArrears},
	{Name: "cure", From: stateInArrears, To: stateRunning},
	{Name: "finish", From: stateRunning, To: stateFinished},
	{Name: "finish", From: stateInArrears, To: stateFinished},
	{Name: "default", From: stateRunning, To: stateDefaulted},
	{Name: "default", From: stateInArrears, To: stateDefaulted},
	{Name: "cancel", From: stateDraft, To: stateCancelled},
	{Name: "cancel", From: stateSigned, To: stateCancelled},
	{Name: "cancel", From: stateRunning, To: stateCancelled},
	{Name: "cancel", From: stateInArrears, To: stateCancelled},
}

// goesOn says whether a contract in a state is not over; of an unknown state nobody can say.
func goesOn(state string) bool {
	return slices.Contains([]string{stateDraft, stateSigned, stateRunning, stateInArrears}, state)
}

// keep settles the state of a contract that its own system sends: it may know none.
func keep(old, updated *Row) error {
	keepFrom(old, updated, "")
	return checkEnd(updated)
}

// change is keep for people, who follow the life of a contract.
func change(old, updated *Row) error {
	keepFrom(old, updated, stateDraft)
	// A contract of an unknown state may be given any.
	if old != nil && old.State != "" {
		if err := states.Check("state", old.State, updated.State); err != nil {
			return err
		}
	}
	if old != nil && old.Currency != updated.Currency {
		return apperr.InvalidField("currency", "can't change: the contract is in %s", old.Currency)
	}
	return checkEnd(updated)
}

func keepFrom(old, updated *Row, first string) {
	var before *record.Life
	if old != nil {
		l := life(old)
		before = &l
	}
	life(updated).Keep(before, first, time.Now())
}

func checkEnd(row *Row) error {
	if row.Closed.Valid && goesOn(row.State) {
		return apperr.InvalidField("closed", "a contract that is %s has no closing day", row.State)
	}
	return nil
}

// stepRequest is the request of any step of a contract.
type stepRequest interface {
	record.StepRequest
	GetContractId() int64
}

func (s *Server) step(ctx context.Context, name string, req stepRequest, also func(*Row, pgtype.Date) error) (*crmv1.Contract, error) {
	contract, err := s.contracts.Take(ctx, record.Step[Row]{
		Name: name, ID: req.GetContractId(), Request: req, States: states, Life: life, Also: also,
	})
	return contract, s.shown(ctx, err, contract)
}

// end is step for those by which a contract ends.
func (s *Server) end(ctx context.Context, name string, req stepRequest) (*crmv1.Contract, error) {
	return s.step(ctx, name, req, func(row *Row, day pgtype.Date) error {
		var in record.Reader
		in.NotBefore("effective_time", day, "opened", row.Opened)
		row.Closed, row.CloseReason = day, req.GetReason()
		return in.Err()
	})
}

// SignContract notes that the parties signed.
func (s *Server) SignContract(ctx context.Context, req *crmv1.SignContractRequest) (*crmv1.SignContractResponse, error) {
	contract, err := s.step(ctx, "sign", req, func(row *Row, day pgtype.Date) error {
		if !row.Signed.Valid {
			row.Signed = day
		}
		return nil
	})
	return &crmv1.SignContractResponse{Contract: contract}, err
}

// StartContract begins a signed contract.
func (s *Server) StartContract(ctx context.Context, req *crmv1.StartContractRequest) (*crmv1.StartContractResponse, error) {
	contract, err := s.step(ctx, "start", req, func(row *Row, day pgtype.Date) error {
		if !row.Opened.Valid {
			row.Opened = day
		}
		return nil
	})
	return &crmv1.StartContractResponse{Contract: contract}, err
}

// MarkContractInArrears notes that payments are overdue.
func (s *Server) MarkContractInArrears(
	ctx context.Context, req *crmv1.MarkContractInArrearsRequest,
) (*crmv1.MarkContractInArrearsResponse, error) {
	contract, err := s.step(ctx, "mark_in_arrears", req, nil)
	return &crmv1.MarkContractInArrearsResponse{Contract: contract}, err
}

// CureContract notes that nothing is overdue any more.
func (s *Server) CureContract(ctx context.Context, req *crmv1.CureContractRequest) (*crmv1.CureContractResponse, error) {
	contract, err := s.step(ctx, "cure", req, nil)
	return &crmv1.CureContractResponse{Contract: contract}, err
}

// FinishContract ends a contract as agreed.
func (s *Server) FinishContract(ctx context.Context, req *crmv1.FinishContractRequest) (*crmv1.FinishContractResponse, error) {
	contract, err := s.end(ctx, "finish", req)
	return &crmv1.FinishContractResponse{Contract: contract}, err
}

// DefaultContract ends a contract with a loss.
func (s *Server) DefaultContract(ctx context.Context, req *crmv1.DefaultContractRequest) (*crmv1.DefaultContractResponse, error) {
	contract, err := s.end(ctx, "default", req)
	return &crmv1.DefaultContractResponse{Contract: contract}, err
}

// CancelContract ends a contract before its time.
func (s *Server) CancelContract(ctx context.Context, req *crmv1.CancelContractRequest) (*crmv1.CancelContractResponse, error) {
	contract, err := s.end(ctx, "cancel", req)
	return &crmv1.CancelContractResponse{Contract: contract}, err
}
