package interaction

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
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
	pool  *pgxpool.Pool
}

// NewServer binds the room to its database; location is the bank's time zone.
func NewServer(pool *pgxpool.Pool, log *slog.Logger, location *time.Location) *Server {
	return &Server{pool: pool, store: record.NewStore(pool, log, record.Room[*crmv1.Interaction, Row]{
		Table: Table, Name: "interaction", ToRow: toRow, Change: change, ToProto: ToProto, Written: listParticipants,
		Writable: own,
		Resolved: func(ctx context.Context, q record.Querier, rows []*record.Record[Row]) ([]error, error) {
			return resolved(ctx, q, rows, location)
		},
		Event: func(r *record.Record[Row], c *eventsv1.Change) { event(r, c, location) },
		// A due time that is given is no longer that of a service level.
		Replaces: map[string][]string{"due_time": {"service_level_id"}, "first_answer_due_time": {"service_level_id"}},
	})}
}

// CreateInteraction adds an interaction.
func (s *Server) CreateInteraction(ctx context.Context, req *crmv1.CreateInteractionRequest) (*crmv1.CreateInteractionResponse, error) {
	interaction, err := s.store.Create(ctx, req.GetRequestId(), asSent(req.GetInteraction()))
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
	narrowed := scope(req)
	narrowed.Order = "opened_time desc"
	page, err := s.store.List(ctx, req, listed, narrowed)
	if err != nil {
		return nil, err
	}
	return &crmv1.ListInteractionsResponse{Interactions: page.Items, NextPageToken: page.Next, Count: page.Count}, nil
}

// BatchUpsertInteractions creates or changes interactions by external key.
func (s *Server) BatchUpsertInteractions(
	ctx context.Context, req *crmv1.BatchUpsertInteractionsRequest,
) (*crmv1.BatchUpsertInteractionsResponse, error) {
	for i, interaction := range req.GetInteractions() {
		req.Interactions[i] = asSent(interaction)
	}
	results, err := s.store.BatchUpsert(ctx, req.GetInteractions(), record.Batch{ImportID: req.GetImportId(), ValidateOnly: req.GetValidateOnly()})
	return &crmv1.BatchUpsertInteractionsResponse{Results: results}, err
}

// asSent is a message without what only Tandem itself may say: whence its due times come. The message is the server's own.
func asSent(i *crmv1.Interaction) *crmv1.Interaction {
	if i != nil {
		i.ServiceLevelId = 0
	}
	return i
}

// scope narrows a list to a customer's and an employee's interactions: theirs, and those in which they only took part. An
// array, and not a subquery, lets both ways to an interaction use their index.
func scope(req *crmv1.ListInteractionsRequest) record.Scope {
	var conditions []string
	var args []any
	for _, party := range []struct {
		name string
		id   int64
	}{{partyCustomer, req.GetCustomerId()}, {partyManager, req.GetManagerId()}} {
		if party.id == 0 {
			continue
		}
		args = append(args, party.id)
		conditions = append(conditions, fmt.Sprintf(`(%[1]s_id = $%[2]d OR interaction_id = ANY (ARRAY(
    SELECT interaction_id FROM interaction_participant WHERE party = '%[1]s' AND party_id = $%[2]d)))`, party.name, len(args)))
	}
	return record.Scope{Condition: strings.Join(conditions, " AND "), Args: args}
}
