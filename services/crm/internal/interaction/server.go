package interaction

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/record"
)

// Server answers tandem.crm.v1.InteractionService.
type Server struct {
	crmv1.UnimplementedInteractionServiceServer
	store *record.Store[*crmv1.Interaction, Row]
}

// NewServer binds the room to its database; location is the bank's time zone.
func NewServer(pool *pgxpool.Pool, log *slog.Logger, location *time.Location) *Server {
	return &Server{store: record.NewStore(pool, log, record.Room[*crmv1.Interaction, Row]{
		Table: Table, Name: "interaction", ToRow: toRow, Change: change, ToProto: toProto,
		Event: func(r *record.Record[Row], c *eventsv1.Change) { event(r, c, location) },
	})}
}

// CreateInteraction adds an interaction.
func (s *Server) CreateInteraction(ctx context.Context, req *crmv1.CreateInteractionRequest) (*crmv1.CreateInteractionResponse, error) {
	interaction, err := s.store.Create(ctx, req.GetRequestId(), req.GetInteraction())
	return &crmv1.CreateInteractionResponse{Interaction: interaction}, err
}

// GetInteraction returns an interaction.
func (s *Server) GetInteraction(ctx context.Context, req *crmv1.GetInteractionRequest) (*crmv1.GetInteractionResponse, error) {
	interaction, err := s.store.Get(ctx, req.GetInteractionId(), req.GetKey())
	return &crmv1.GetInteractionResponse{Interaction: interaction}, err
}

// UpdateInteraction changes an interaction.
func (s *Server) UpdateInteraction(ctx context.Context, req *crmv1.UpdateInteractionRequest) (*crmv1.UpdateInteractionResponse, error) {
	interaction, err := s.store.Update(ctx, record.Update[*crmv1.Interaction]{
		ID: req.GetInteraction().GetInteractionId(), Etag: req.GetInteraction().GetEtag(), Message: req.GetInteraction(),
		Mask: req.GetUpdateMask(), RequestID: req.GetRequestId(), Request: req,
	})
	return &crmv1.UpdateInteractionResponse{Interaction: interaction}, err
}

// ListInteractions returns a page of interactions, newest first.
func (s *Server) ListInteractions(ctx context.Context, req *crmv1.ListInteractionsRequest) (*crmv1.ListInteractionsResponse, error) {
	page, err := s.store.List(ctx, req, schema, record.Scope{Order: "opened_time desc"})
	if err != nil {
		return nil, err
	}
	return &crmv1.ListInteractionsResponse{Interactions: page.Items, NextPageToken: page.Next, Count: page.Count}, nil
}

// BatchUpsertInteractions creates or changes interactions by external key.
func (s *Server) BatchUpsertInteractions(
	ctx context.Context, req *crmv1.BatchUpsertInteractionsRequest,
) (*crmv1.BatchUpsertInteractionsResponse, error) {
	results, err := s.store.BatchUpsert(ctx, req.GetInteractions(), record.Batch{ImportID: req.GetImportId(), ValidateOnly: req.GetValidateOnly()})
	return &crmv1.BatchUpsertInteractionsResponse{Results: results}, err
}
