package document

import (
	"context"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
)

// Server answers tandem.crm.v1.DocumentService.
type Server struct {
	crmv1.UnimplementedDocumentServiceServer
	store *record.Store[*crmv1.Document, Row]
}

// Written follows changes of documents in their transactions.
type Written func(ctx context.Context, tx pgx.Tx, documents []*record.Record[Row], old []*Row) error

// NewServer binds the room to its database; followers see what is written.
func NewServer(pool *pgxpool.Pool, log *slog.Logger, followers ...Written) *Server {
	written := func(ctx context.Context, tx pgx.Tx, documents []*record.Record[Row], old []*Row) error {
		for _, follow := range followers {
			if err := follow(ctx, tx, documents, old); err != nil {
				return err
			}
		}
		return nil
	}
	return &Server{store: record.NewStore(pool, log, record.Room[*crmv1.Document, Row]{
		Table: Table, Name: "document", ToRow: toRow, Change: change, ToProto: toProto, Event: event, Written: written,
	})}
}

// CreateDocument adds a document.
func (s *Server) CreateDocument(ctx context.Context, req *crmv1.CreateDocumentRequest) (*crmv1.CreateDocumentResponse, error) {
	document, err := s.store.Create(ctx, req.GetRequestId(), req.GetDocument())
	return &crmv1.CreateDocumentResponse{Document: document}, err
}

// GetDocument returns a document.
func (s *Server) GetDocument(ctx context.Context, req *crmv1.GetDocumentRequest) (*crmv1.GetDocumentResponse, error) {
	document, err := s.store.Get(ctx, req.GetDocumentId(), req.GetKey())
	return &crmv1.GetDocumentResponse{Document: document}, err
}

// UpdateDocument changes a document.
func (s *Server) UpdateDocument(ctx context.Context, req *crmv1.UpdateDocumentRequest) (*crmv1.UpdateDocumentResponse, error) {
	document, err := s.store.Update(ctx, record.Update[*crmv1.Document]{
		ID: req.GetDocument().GetDocumentId(), Etag: req.GetDocument().GetEtag(), Message: req.GetDocument(),
		Mask: req.GetUpdateMask(), RequestID: req.GetRequestId(), Request: req,
	})
	return &crmv1.UpdateDocumentResponse{Document: document}, err
}

// ListDocuments returns a page of documents by id. The texts stay behind: a page of them would fit no answer.
func (s *Server) ListDocuments(ctx context.Context, req *crmv1.ListDocumentsRequest) (*crmv1.ListDocumentsResponse, error) {
	scope := record.Scope{Without: []string{"text"}}
	if id := req.GetCustomerId(); id != 0 {
		scope.Condition, scope.Args = "customer_id = $1", []any{id}
	}
	page, err := s.store.List(ctx, req, schema, scope)
	if err != nil {
		return nil, err
	}
	return &crmv1.ListDocumentsResponse{Documents: page.Items, NextPageToken: page.Next, Count: page.Count}, nil
}

// BatchUpsertDocuments creates or changes documents by external key.
func (s *Server) BatchUpsertDocuments(ctx context.Context, req *crmv1.BatchUpsertDocumentsRequest) (*crmv1.BatchUpsertDocumentsResponse, error) {
	results, err := s.store.BatchUpsert(ctx, req.GetDocuments(), record.Batch{ImportID: req.GetImportId(), ValidateOnly: req.GetValidateOnly()})
	return &crmv1.BatchUpsertDocumentsResponse{Results: results}, err
}
