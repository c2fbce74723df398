package card

import (
	"context"
	"log/slog"

	"github.com/jackc/pgx/v5/pgxpool"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
)

// Server answers tandem.crm.v1.CardService.
type Server struct {
	crmv1.UnimplementedCardServiceServer
	store *record.Store[*crmv1.Card, Row]
	pool  *pgxpool.Pool
}

// NewServer binds the room to its database.
func NewServer(pool *pgxpool.Pool, log *slog.Logger) *Server {
	return &Server{pool: pool, store: record.NewStore(pool, log, record.Room[*crmv1.Card, Row]{
		Table: Table, Name: "card", ToRow: toRow, Resolved: fromHolding, Change: change, ToProto: toProto, Event: event,
		Replaces: map[string][]string{"account_holder_key": {"customer_id", "account_id"}, "state": record.StateReplaces["state"]},
	})}
}

// CreateCard adds a card.
func (s *Server) CreateCard(ctx context.Context, req *crmv1.CreateCardRequest) (*crmv1.CreateCardResponse, error) {
	card, err := s.store.Create(ctx, req.GetRequestId(), req.GetCard())
	return &crmv1.CreateCardResponse{Card: card}, err
}

// GetCard returns a card.
func (s *Server) GetCard(ctx context.Context, req *crmv1.GetCardRequest) (*crmv1.GetCardResponse, error) {
	card, err := s.store.Get(ctx, req.GetCardId(), req.GetKey())
	return &crmv1.GetCardResponse{Card: card}, err
}

// UpdateCard changes a card.
func (s *Server) UpdateCard(ctx context.Context, req *crmv1.UpdateCardRequest) (*crmv1.UpdateCardResponse, error) {
	card, err := s.store.Update(ctx, record.Update[*crmv1.Card]{
		ID: req.GetCard().GetCardId(), Etag: req.GetCard().GetEtag(), Message: req.GetCard(),
		Mask: req.GetUpdateMask(), RequestID: req.GetRequestId(), Request: req,
	})
	return &crmv1.UpdateCardResponse{Card: card}, err
}

// ListCards returns a page of cards by id.
func (s *Server) ListCards(ctx context.Context, req *crmv1.ListCardsRequest) (*crmv1.ListCardsResponse, error) {
	page, err := s.store.List(ctx, req, listed, record.Scope{})
	if err != nil {
		return nil, err
	}
	return &crmv1.ListCardsResponse{Cards: page.Items, NextPageToken: page.Next, Count: page.Count}, nil
}

// BatchUpsertCards creates or changes cards by external key.
func (s *Server) BatchUpsertCards(ctx context.Context, req *crmv1.BatchUpsertCardsRequest) (*crmv1.BatchUpsertCardsResponse, error) {
	results, err := s.store.BatchUpsert(ctx, req.GetCards(), record.Batch{ImportID: req.GetImportId(), ValidateOnly: req.GetValidateOnly()})
	return &crmv1.BatchUpsertCardsResponse{Results: results}, err
}
