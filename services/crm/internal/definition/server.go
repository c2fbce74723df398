package definition

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/check"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/outbox"
	"tandem.bank/services/crm/internal/record"
)

// name of the resource in requests.
const name = "definition"

// updateTriesMax bounds how often a change is compiled again because somebody else changed the definition meanwhile.
const updateTriesMax = 3

// Server answers tandem.crm.v1.DefinitionService.
type Server struct {
	crmv1.UnimplementedDefinitionServiceServer
	pool     *pgxpool.Pool
	store    *record.Store[*crmv1.Definition, Row]
	compiler Compiler
}

// NewServer binds the room to its database, and to who compiles specs.
func NewServer(pool *pgxpool.Pool, log *slog.Logger, compiler Compiler) *Server {
	return &Server{pool: pool, compiler: compiler, store: record.NewStore(pool, log, record.Room[*crmv1.Definition, Row]{
		Table: Table, Name: name, ToRow: toRow, Resolved: resolved, Change: change, ToProto: toProto, Event: event, Written: keepVersions,
		// A new spec has a note of its own or none.
		Replaces:   map[string][]string{"spec": {"change_note"}},
		OutputOnly: []string{"kind", "version_time", "version_author", "owner", "reader_roles", "editor_roles", "state"},
	})}
}

// resolved signs what is about to be saved, by somebody who may.
func resolved(ctx context.Context, _ record.Querier, rows []*record.Record[Row]) ([]error, error) {
	errs := make([]error, len(rows))
	for i, r := range rows {
		at := r.UpdatedAt
		r.Row.SpecAt, r.Row.SpecAuthor = &at, outbox.Actor(ctx)
		errs[i] = r.Row.refuseEdit(ctx)
		if errs[i] == nil && r.Row.State == archived {
			errs[i] = apperr.New(codes.FailedPrecondition, apperr.ReasonFailedPrecondition, "definition %s is archived; restore it first", r.Row.Name)
		}
	}
	return errs, nil
}

// CreateDefinition adds a definition.
func (s *Server) CreateDefinition(ctx context.Context, req *crmv1.CreateDefinitionRequest) (*crmv1.CreateDefinitionResponse, error) {
	given, _ := proto.Clone(req.GetDefinition()).(*crmv1.Definition)
	given.Owner, given.State = outbox.Actor(ctx), crmv1.DefinitionState_DEFINITION_STATE_UNSPECIFIED
	if err := s.compile(ctx, given); err != nil {
		return nil, err
	}
	d, err := s.store.Create(ctx, req.GetRequestId(), given)
	return &crmv1.CreateDefinitionResponse{Definition: d}, err
}

// compile checks a definition by the contract's rules, and then by those of who runs it.
func (s *Server) compile(ctx context.Context, d *crmv1.Definition) error {
	if err := apperr.Invalid(check.Message(d)...); err != nil {
		return record.InMessage(name, err)
	}
	return record.InMessage(name, s.compiler.Compile(ctx, d.GetName(), d.GetSpec()))
}

// GetDefinition returns a definition.
func (s *Server) GetDefinition(ctx context.Context, req *crmv1.GetDefinitionRequest) (*crmv1.GetDefinitionResponse, error) {
	found, err := s.find(ctx, req)
	if err != nil {
		return nil, err
	}
	d := toProto(found)
	if req.GetVersion() != 0 || req.GetAsOf() != nil {
		v, err := findVersion(ctx, s.pool, found.ID, req.GetVersion(), req.GetAsOf().AsTime())
		if err != nil {
			return nil, err
		}
		d = v.over(d)
	}
	return &crmv1.GetDefinitionResponse{Definition: d}, nil
}

// find returns the definition that a request names, if the caller may read it.
func (s *Server) find(ctx context.Context, req *crmv1.GetDefinitionRequest) (found *record.Record[Row], err error) {
	called := fmt.Sprint(req.GetDefinitionId())
	switch {
	case req.GetName() != "":
		called = req.GetName()
		var named []*record.Record[Row]
		if named, err = Table.Select(ctx, s.pool, "name = $1", req.GetName()); err == nil && len(named) == 1 {
			found = named[0]
		}
	case req.GetKey() != nil:
		found, err = Table.GetByKey(ctx, s.pool, req.GetKey())
	default:
		found, err = Table.Get(ctx, s.pool, req.GetDefinitionId())
	}
	if err == nil && (found == nil || !found.Row.mayRead(ctx)) {
		err = apperr.NotFound("definition %s does not exist", called)
	}
	return found, err
}

// UpdateDefinition changes a definition. Its spec is compiled before anything is locked, as the change would make it; when
// somebody else changes the definition in between, that begins anew.
func (s *Server) UpdateDefinition(ctx context.Context, req *crmv1.UpdateDefinitionRequest) (*crmv1.UpdateDefinitionResponse, error) {
	update := record.Update[*crmv1.Definition]{
		ID: req.GetDefinition().GetDefinitionId(), Message: req.GetDefinition(), Mask: req.GetUpdateMask(),
		RequestID: req.GetRequestId(), Request: req,
	}
	for try := 1; ; try++ {
		stored, merged, err := s.store.Preview(ctx, update)
		if err != nil {
			return nil, err
		}
		if err := s.mayEdit(ctx, stored.GetDefinitionId()); err != nil {
			return nil, err
		}
		if !proto.Equal(stored.GetSpec(), merged.GetSpec()) {
			if err := s.compile(ctx, merged); err != nil {
				return nil, err
			}
		}
		given := req.GetDefinition().GetEtag()
		if update.Etag = given; given == "" {
			update.Etag = stored.GetEtag()
		}
		d, err := s.store.Update(ctx, update)
		if given == "" && try < updateTriesMax && overtaken(err) {
			continue
		}
		return &crmv1.UpdateDefinitionResponse{Definition: d}, err
	}
}

// mayEdit answers NOT_FOUND to those who may not even read, and PERMISSION_DENIED to those who may not change.
func (s *Server) mayEdit(ctx context.Context, id int64) error {
	found, err := s.find(ctx, &crmv1.GetDefinitionRequest{DefinitionId: id})
	if err != nil {
		return err
	}
	return found.Row.refuseEdit(ctx)
}

// overtaken says that somebody else changed the record first.
func overtaken(err error) bool {
	var known *apperr.Error
	return errors.As(err, &known) && known.Reason == apperr.ReasonEtagMismatch
}

// ListDefinitions returns a page of definitions.
func (s *Server) ListDefinitions(ctx context.Context, req *crmv1.ListDefinitionsRequest) (*crmv1.ListDefinitionsResponse, error) {
	page, err := s.store.List(ctx, req, schema, readable(ctx))
	if err != nil {
		return nil, err
	}
	return &crmv1.ListDefinitionsResponse{Definitions: page.Items, NextPageToken: page.Next, Count: page.Count}, nil
}

// ListDefinitionVersions returns a page of versions.
func (s *Server) ListDefinitionVersions(
	ctx context.Context, req *crmv1.ListDefinitionVersionsRequest,
) (*crmv1.ListDefinitionVersionsResponse, error) {
	// What is wrong with the request is said first; nobody gets the answer who may not read the definition.
	answer, err := listVersions(ctx, s.pool, req)
	if err != nil {
		return nil, err
	}
	_, err = s.find(ctx, &crmv1.GetDefinitionRequest{DefinitionId: req.GetDefinitionId()})
	return answer, err
}

// ArchiveDefinition takes a definition out of use.
func (s *Server) ArchiveDefinition(ctx context.Context, req *crmv1.ArchiveDefinitionRequest) (*crmv1.ArchiveDefinitionResponse, error) {
	if err := s.mayEdit(ctx, req.GetDefinitionId()); err != nil {
		return nil, err
	}
	d, err := s.store.Modify(ctx, req.GetDefinitionId(), req.GetEtag(), req, "Archive", func(row *Row) error {
		return row.step(active, archived)
	})
	return &crmv1.ArchiveDefinitionResponse{Definition: d}, err
}

// RestoreDefinition takes a definition into use again.
func (s *Server) RestoreDefinition(ctx context.Context, req *crmv1.RestoreDefinitionRequest) (*crmv1.RestoreDefinitionResponse, error) {
	if err := s.mayEdit(ctx, req.GetDefinitionId()); err != nil {
		return nil, err
	}
	found, err := Table.Get(ctx, s.pool, req.GetDefinitionId())
	if err != nil {
		return nil, err
	}
	if err := s.compile(ctx, toProto(found)); err != nil {
		return nil, err
	}
	// Nobody changes the spec of an archived definition, so what was compiled is what is restored.
	d, err := s.store.Modify(ctx, req.GetDefinitionId(), req.GetEtag(), req, "Restore", func(row *Row) error {
		return row.step(archived, active)
	})
	return &crmv1.RestoreDefinitionResponse{Definition: d}, err
}

// step goes from one state to another.
func (r *Row) step(from, to string) error {
	if r.State != from {
		return apperr.New(codes.FailedPrecondition, apperr.ReasonWrongTransition, "definition %s is %s", r.Name, r.State)
	}
	r.State = to
	return nil
}

// ShareDefinition says who reads and who changes a definition.
func (s *Server) ShareDefinition(ctx context.Context, req *crmv1.ShareDefinitionRequest) (*crmv1.ShareDefinitionResponse, error) {
	var in record.Reader
	checkRoles(&in, "reader_roles", req.GetReaderRoles())
	checkRoles(&in, "editor_roles", req.GetEditorRoles())
	if err := in.Err(); err != nil {
		return nil, err
	}
	if _, err := s.find(ctx, &crmv1.GetDefinitionRequest{DefinitionId: req.GetDefinitionId()}); err != nil {
		return nil, err
	}
	d, err := s.store.Modify(ctx, req.GetDefinitionId(), req.GetEtag(), req, "Share", func(row *Row) error {
		if err := row.refuseShare(ctx); err != nil {
			return err
		}
		row.ReaderRoles, row.EditorRoles = req.GetReaderRoles(), req.GetEditorRoles()
		if req.GetOwner() != "" {
			row.Owner = req.GetOwner()
		}
		return nil
	})
	return &crmv1.ShareDefinitionResponse{Definition: d}, err
}
