package attribute

import (
	"context"
	"log/slog"
	"reflect"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/filter"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
)

// Holder is the room whose records have the values.
type Holder interface {
	// Each calls for every value of an attribute, with the kind of its customer.
	Each(ctx context.Context, tx pgx.Tx, name string, call func(kind string, value Value)) error
	// Index makes or drops the index over an attribute's expression.
	Index(ctx context.Context, tx pgx.Tx, definition *Row, wanted bool) error
}

// Server answers tandem.crm.v1.AttributeService.
type Server struct {
	crmv1.UnimplementedAttributeServiceServer
	store     *record.Store[*crmv1.AttributeDefinition, Row]
	catalogue *Catalogue
	holder    Holder
}

var schema = filter.Schema{
	{Name: "attribute_definition_id", Column: "attribute_definition_id", Kind: filter.Int, Required: true, Indexed: true},
	{Name: "key.source", Column: "source", Kind: filter.Text},
	{Name: "key.external_id", Column: "external_id", Kind: filter.Text},
	{Name: "name", Column: "name", Kind: filter.Text, Required: true},
	{Name: "title", Column: "title", Kind: filter.Text, Required: true},
	{Name: "description", Column: "description", Kind: filter.Text},
	{Name: "type", Column: "type", Kind: filter.Enum, Values: record.EnumTexts[crmv1.AttributeType](), Required: true},
	{Name: "applies_to", Column: "applies_to", Kind: filter.Enum, Values: record.EnumTexts[crmv1.AttributeAppliesTo]()},
	{Name: "required", Column: "required", Kind: filter.Bool, Required: true},
	{Name: "searchable", Column: "searchable", Kind: filter.Bool, Required: true},
	{Name: "personal", Column: "personal", Kind: filter.Bool, Required: true},
	{Name: "allowed_values", Column: "allowed_values", Kind: filter.Text, Repeated: filter.Array},
	{Name: "minimum", Column: "minimum", Kind: filter.Text},
	{Name: "maximum", Column: "maximum", Kind: filter.Text},
	{Name: "pattern", Column: "pattern", Kind: filter.Text},
	{Name: "version", Column: "version", Kind: filter.Int, Required: true},
	{Name: "retired", Column: "retired", Kind: filter.Bool, Required: true},
	{Name: "create_time", Column: "created_at", Kind: filter.Time, Required: true},
	{Name: "update_time", Column: "updated_at", Kind: filter.Time, Required: true},
}

// NewServer binds the room to its database, to the catalogue that writers of values ask, and to who holds the values.
func NewServer(pool *pgxpool.Pool, log *slog.Logger, catalogue *Catalogue, holder Holder) *Server {
	s := &Server{catalogue: catalogue, holder: holder}
	s.store = record.NewStore(pool, log, record.Room[*crmv1.AttributeDefinition, Row]{
		Table: Table, Name: "attribute_definition", ToRow: toRow, Change: change, ToProto: toProto, Event: event, Written: s.written,
	})
	return s
}

// written refuses a change that stored values would break, and keeps the indexes of searchable attributes.
func (s *Server) written(ctx context.Context, tx pgx.Tx, records []*record.Record[Row], old []*Row) error {
	for i, r := range records {
		if old[i] != nil {
			if err := s.checkStored(ctx, tx, old[i], &r.Row); err != nil {
				return err
			}
		}
		indexed := func(d *Row) bool { return d != nil && d.Searchable && !d.Retired }
		if indexed(&r.Row) != indexed(old[i]) {
			if err := s.holder.Index(ctx, tx, &r.Row, indexed(&r.Row)); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkStored counts the values that the changed definition would not allow.
func (s *Server) checkStored(ctx context.Context, tx pgx.Tx, old, updated *Row) error {
	rules := func(r *Row) Row {
		return Row{AppliesTo: r.AppliesTo, AllowedValues: r.AllowedValues, Minimum: r.Minimum, Maximum: r.Maximum, Pattern: r.Pattern, Personal: r.Personal}
	}
	if reflect.DeepEqual(rules(old), rules(updated)) {
		return nil
	}
	hidden, broken, why := !old.Personal && updated.Personal, 0, ""
	err := s.holder.Each(ctx, tx, updated.Name, func(kind string, value Value) {
		if refusal := updated.refuses(value, kind); hidden || refusal != "" {
			broken, why = broken+1, refusal
		}
	})
	if err != nil || broken == 0 {
		return err
	}
	if hidden {
		why = "values were sent to analysis already"
	}
	return apperr.New(codes.FailedPrecondition, apperr.ReasonFailedPrecondition,
		"attribute_definition: %d customers have a value of %s that the change would not allow: %s", broken, updated.Name, why)
}

// CreateAttributeDefinition adds a definition.
func (s *Server) CreateAttributeDefinition(
	ctx context.Context, req *crmv1.CreateAttributeDefinitionRequest,
) (*crmv1.CreateAttributeDefinitionResponse, error) {
	defer s.catalogue.Forget()
	definition, err := s.store.Create(ctx, req.GetRequestId(), req.GetAttributeDefinition())
	return &crmv1.CreateAttributeDefinitionResponse{AttributeDefinition: definition}, err
}

// GetAttributeDefinition returns a definition.
func (s *Server) GetAttributeDefinition(
	ctx context.Context, req *crmv1.GetAttributeDefinitionRequest,
) (*crmv1.GetAttributeDefinitionResponse, error) {
	definition, err := s.store.Get(ctx, req.GetAttributeDefinitionId(), req.GetKey())
	return &crmv1.GetAttributeDefinitionResponse{AttributeDefinition: definition}, err
}

// UpdateAttributeDefinition changes a definition.
func (s *Server) UpdateAttributeDefinition(
	ctx context.Context, req *crmv1.UpdateAttributeDefinitionRequest,
) (*crmv1.UpdateAttributeDefinitionResponse, error) {
	defer s.catalogue.Forget()
	d := req.GetAttributeDefinition()
	definition, err := s.store.Update(ctx, record.Update[*crmv1.AttributeDefinition]{
		ID: d.GetAttributeDefinitionId(), Etag: d.GetEtag(), Message: d, Mask: req.GetUpdateMask(), RequestID: req.GetRequestId(), Request: req,
	})
	return &crmv1.UpdateAttributeDefinitionResponse{AttributeDefinition: definition}, err
}

// ListAttributeDefinitions returns a page of definitions.
func (s *Server) ListAttributeDefinitions(
	ctx context.Context, req *crmv1.ListAttributeDefinitionsRequest,
) (*crmv1.ListAttributeDefinitionsResponse, error) {
	page, err := s.store.List(ctx, req, schema, record.Scope{})
	if err != nil {
		return nil, err
	}
	return &crmv1.ListAttributeDefinitionsResponse{AttributeDefinitions: page.Items, NextPageToken: page.Next, Count: page.Count}, nil
}

// BatchUpsertAttributeDefinitions creates or changes definitions by external key.
func (s *Server) BatchUpsertAttributeDefinitions(
	ctx context.Context, req *crmv1.BatchUpsertAttributeDefinitionsRequest,
) (*crmv1.BatchUpsertAttributeDefinitionsResponse, error) {
	defer s.catalogue.Forget()
	batch := record.Batch{ImportID: req.GetImportId(), ValidateOnly: req.GetValidateOnly()}
	results, err := s.store.BatchUpsert(ctx, req.GetAttributeDefinitions(), batch)
	return &crmv1.BatchUpsertAttributeDefinitionsResponse{Results: results}, err
}
