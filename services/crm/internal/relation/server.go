package relation

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/customer"
	"tandem.bank/services/crm/internal/record"
)

// Limits of a walk when the caller gives none.
const (
	depthDefault   = 1
	fanOutDefault  = 50
	partiesDefault = 200
)

// Server answers tandem.crm.v1.RelationService.
type Server struct {
	crmv1.UnimplementedRelationServiceServer
	pool  *pgxpool.Pool
	store *record.Store[*crmv1.Relation, Row]
}

// NewServer binds the room to its database.
func NewServer(pool *pgxpool.Pool, log *slog.Logger) *Server {
	name := []string{"other_name", "other_birth_date"}
	return &Server{pool: pool, store: record.NewStore(pool, log, record.Room[*crmv1.Relation, Row]{
		Table: Table, Name: "relation", ToRow: toRow, Resolved: resolved, Change: change, ToProto: toProto, Event: event, Deferred: true,
		Writable: writable,
		// Somebody who becomes a customer needs no name of their own any more.
		Replaces: map[string][]string{"other_customer_id": name, "other_customer_key": name},
	})}
}

// CreateRelation adds a relation.
func (s *Server) CreateRelation(ctx context.Context, req *crmv1.CreateRelationRequest) (*crmv1.CreateRelationResponse, error) {
	relation, err := s.store.Create(ctx, req.GetRequestId(), req.GetRelation())
	return &crmv1.CreateRelationResponse{Relation: relation}, err
}

// GetRelation returns a relation.
func (s *Server) GetRelation(ctx context.Context, req *crmv1.GetRelationRequest) (*crmv1.GetRelationResponse, error) {
	relation, err := s.store.Get(ctx, req.GetRelationId(), req.GetKey())
	return &crmv1.GetRelationResponse{Relation: relation}, err
}

// UpdateRelation changes a relation.
func (s *Server) UpdateRelation(ctx context.Context, req *crmv1.UpdateRelationRequest) (*crmv1.UpdateRelationResponse, error) {
	relation, err := s.store.Update(ctx, record.Update[*crmv1.Relation]{
		ID: req.GetRelation().GetRelationId(), Etag: req.GetRelation().GetEtag(), Message: req.GetRelation(),
		Mask: req.GetUpdateMask(), RequestID: req.GetRequestId(), Request: req,
	})
	return &crmv1.UpdateRelationResponse{Relation: relation}, err
}

// EndRelation ends a relation on a day.
func (s *Server) EndRelation(ctx context.Context, req *crmv1.EndRelationRequest) (*crmv1.EndRelationResponse, error) {
	relation, err := s.store.Update(ctx, record.Update[*crmv1.Relation]{
		ID: req.GetRelationId(), Etag: req.GetEtag(),
		Message: &crmv1.Relation{ValidTo: req.GetEndDate(), EndReason: req.GetReason()},
		Mask:    &fieldmaskpb.FieldMask{Paths: []string{"valid_to", "end_reason"}}, RequestID: req.GetRequestId(), Request: req,
	})
	return &crmv1.EndRelationResponse{Relation: relation}, endFields(err)
}

// endFields gives broken fields the names that they have in the request to end a relation.
func endFields(err error) error {
	var known *apperr.Error
	if !errors.As(err, &known) || len(known.Violations) == 0 {
		return err
	}
	names := strings.NewReplacer("relation.valid_to", "end_date", "relation.end_reason", "reason")
	renamed := *known
	renamed.Message, renamed.Violations = names.Replace(known.Message), nil
	for _, v := range known.Violations {
		renamed.Violations = append(renamed.Violations, apperr.Violation{Field: names.Replace(v.Field), Description: v.Description})
	}
	return &renamed
}

// ListRelations returns a page of relations by id.
func (s *Server) ListRelations(ctx context.Context, req *crmv1.ListRelationsRequest) (*crmv1.ListRelationsResponse, error) {
	page, err := s.store.List(ctx, req, schema, record.Scope{})
	if err != nil {
		return nil, err
	}
	return &crmv1.ListRelationsResponse{Relations: page.Items, NextPageToken: page.Next, Count: page.Count}, nil
}

// ExploreRelations walks along relations in one snapshot, so that its levels fit each other.
func (s *Server) ExploreRelations(ctx context.Context, req *crmv1.ExploreRelationsRequest) (*crmv1.ExploreRelationsResponse, error) {
	var in record.Reader
	walk := Walk{
		CustomerID: req.GetCustomerId(), AsOf: in.Date("as_of", req.GetAsOf()),
		Depth:      orDefault(req.GetDepth(), depthDefault),
		FanOutMax:  orDefault(req.GetFanOutMax(), fanOutDefault),
		PartiesMax: orDefault(req.GetPartiesMax(), partiesDefault),
	}
	for _, t := range req.GetTypes() {
		walk.Types = append(walk.Types, record.EnumText(t))
	}
	if err := apperr.Invalid(in.Violations...); err != nil {
		return nil, err
	}
	var answer *crmv1.ExploreRelationsResponse
	snapshot := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err := pgx.BeginTxFunc(ctx, s.pool, snapshot, func(tx pgx.Tx) error {
		first, err := find(ctx, tx, req)
		if err != nil {
			return err
		}
		walk.CustomerID = first.ID
		answer, err = Explore(ctx, tx, walk)
		return err
	})
	return answer, err
}

func find(ctx context.Context, tx pgx.Tx, req *crmv1.ExploreRelationsRequest) (*record.Record[customer.Row], error) {
	if req.GetKey() != nil {
		return customer.Table.GetByKey(ctx, tx, req.GetKey())
	}
	return customer.Table.Get(ctx, tx, req.GetCustomerId())
}

func orDefault(n int32, byDefault int) int {
	if n == 0 {
		return byDefault
	}
	return int(n)
}

// BatchUpsertRelations creates or changes relations by external key.
func (s *Server) BatchUpsertRelations(
	ctx context.Context, req *crmv1.BatchUpsertRelationsRequest,
) (*crmv1.BatchUpsertRelationsResponse, error) {
	results, err := s.store.BatchUpsert(ctx, req.GetRelations(), record.Batch{ImportID: req.GetImportId(), ValidateOnly: req.GetValidateOnly()})
	return &crmv1.BatchUpsertRelationsResponse{Results: results}, err
}
