package card

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
	"tandem.bank/services/crm/internal/request"
)

var (
	stateIssued   = record.EnumText(crmv1.CardState_CARD_STATE_ISSUED)
	stateActive   = record.EnumText(crmv1.CardState_CARD_STATE_ACTIVE)
	stateBlocked  = record.EnumText(crmv1.CardState_CARD_STATE_BLOCKED)
	stateClosed   = record.EnumText(crmv1.CardState_CARD_STATE_CLOSED)
	stateExpired  = record.EnumText(crmv1.CardState_CARD_STATE_EXPIRED)
	stateReplaced = record.EnumText(crmv1.CardState_CARD_STATE_REPLACED)
)

// states is the life of a card. A card that was lost on its way to the customer is closed, not blocked: unblocking would
// activate it by the back door.
var states = slices.Concat(
	record.StateMachine{
		{Name: "activate", From: stateIssued, To: stateActive},
		{Name: "block", From: stateActive, To: stateBlocked},
		{Name: "unblock", From: stateBlocked, To: stateActive},
	},
	ends("close", stateClosed), ends("expire", stateExpired), ends("replace", stateReplaced),
)

// ends are the steps by which every card that is still good may end.
func ends(name, to string) record.StateMachine {
	return record.StateMachine{
		{Name: name, From: stateIssued, To: to},
		{Name: name, From: stateActive, To: to},
		{Name: name, From: stateBlocked, To: to},
	}
}

// change keeps the life of a card. A message without a state leaves the state as it is, and one without a holding keeps
// the holding as long as it still gives the card's customer and account.
func change(old, updated *Row) error {
	if old == nil {
		life(updated).Keep(nil, stateActive, time.Now())
		return checkWhole(updated)
	}
	before := life(old)
	life(updated).Keep(&before, stateActive, time.Now())
	if updated.AccountHolderID == nil && *old.CustomerID == *updated.CustomerID && *old.AccountID == *updated.AccountID {
		updated.AccountHolderID = old.AccountHolderID
	}
	if updated.ReplacedByID == nil && updated.State == old.State {
		updated.ReplacedByID = old.ReplacedByID
	}
	if err := states.Check("state", old.State, updated.State); err != nil {
		return err
	}
	return checkWhole(updated)
}

// checkWhole lets only a card that is no longer used have one in its place (not every source knows which one), and an
// account be a card's once.
func checkWhole(row *Row) error {
	if err := checkLinks(row); err != nil {
		return err
	}
	if row.ReplacedByID != nil && slices.Contains([]string{stateIssued, stateActive, stateBlocked}, row.State) {
		return apperr.InvalidField("replaced_by_card_id", "only a card that has ended can be replaced; this one is %s", row.State)
	}
	return nil
}

// stepRequest is the request of any step of a card.
type stepRequest interface {
	record.StepRequest
	GetCardId() int64
}

func (s *Server) step(ctx context.Context, name string, req stepRequest, also func(*Row, pgtype.Date) error) (*crmv1.Card, error) {
	return s.store.Take(ctx, stepOf(name, req, also))
}

func stepOf(name string, req stepRequest, also func(*Row, pgtype.Date) error) record.Step[Row] {
	return record.Step[Row]{Name: name, ID: req.GetCardId(), Request: req, States: states, Life: life, Also: also}
}

// ActivateCard takes a new card into use.
func (s *Server) ActivateCard(ctx context.Context, req *crmv1.ActivateCardRequest) (*crmv1.ActivateCardResponse, error) {
	card, err := s.step(ctx, "activate", req, nil)
	return &crmv1.ActivateCardResponse{Card: card}, err
}

// BlockCard blocks a card in use.
func (s *Server) BlockCard(ctx context.Context, req *crmv1.BlockCardRequest) (*crmv1.BlockCardResponse, error) {
	card, err := s.step(ctx, "block", req, nil)
	return &crmv1.BlockCardResponse{Card: card}, err
}

// UnblockCard takes a blocked card into use again.
func (s *Server) UnblockCard(ctx context.Context, req *crmv1.UnblockCardRequest) (*crmv1.UnblockCardResponse, error) {
	card, err := s.step(ctx, "unblock", req, nil)
	return &crmv1.UnblockCardResponse{Card: card}, err
}

// CloseCard closes a card for good.
func (s *Server) CloseCard(ctx context.Context, req *crmv1.CloseCardRequest) (*crmv1.CloseCardResponse, error) {
	card, err := s.step(ctx, "close", req, nil)
	return &crmv1.CloseCardResponse{Card: card}, err
}

// ExpireCard ends a card whose last month is over.
func (s *Server) ExpireCard(ctx context.Context, req *crmv1.ExpireCardRequest) (*crmv1.ExpireCardResponse, error) {
	card, err := s.step(ctx, "expire", req, func(row *Row, day pgtype.Date) error {
		if !row.Expiry.Valid {
			return apperr.InvalidField("card_id", "the card has no expiry")
		}
		if over := row.Expiry.Time.AddDate(0, 1, 0); day.Time.Before(over) {
			return apperr.InvalidField("effective_time", "the card is good until %s", over.AddDate(0, 0, -1).Format(time.DateOnly))
		}
		return nil
	})
	return &crmv1.ExpireCardResponse{Card: card}, err
}

// ReplaceCard ends a card and issues another one in its place.
func (s *Server) ReplaceCard(ctx context.Context, req *crmv1.ReplaceCardRequest) (*crmv1.ReplaceCardResponse, error) {
	return request.Once(ctx, s.pool, req.GetRequestId(), "replacecard", req, func(tx pgx.Tx) (*crmv1.ReplaceCardResponse, error) {
		old, err := Table.Get(ctx, tx, req.GetCardId())
		if err != nil {
			return nil, err
		}
		// The new card has to be there before the old one can name it.
		added, err := s.store.AddAll(ctx, tx, []*crmv1.Card{inPlaceOf(old, req.GetReplacement())})
		if err != nil {
			return nil, err
		}
		replacement := added[0]
		card, err := s.store.TakeIn(ctx, tx, stepOf("replace", req, func(row *Row, _ pgtype.Date) error {
			row.ReplacedByID = &replacement.CardId
			return nil
		}))
		return &crmv1.ReplaceCardResponse{Card: card, Replacement: replacement}, err
	})
}
