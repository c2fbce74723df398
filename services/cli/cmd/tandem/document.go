package main

import (
	"context"
	"fmt"
	"io"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/cli/internal/show"
)

// DocumentCmd groups the looks at documents.
type DocumentCmd struct {
	List DocumentListCmd `cmd:"" help:"List documents, without their texts."`
	Show DocumentShowCmd `cmd:"" help:"Show a document with its text."`
}

// DocumentListCmd lists documents.
type DocumentListCmd struct {
	Customer int64  `placeholder:"NUMBER" help:"Only documents of this customer."`
	Filter   string `help:"Only documents that a filter admits, as in 'kind = contract AND document_time > \"now-12m\"'."`
	OrderBy  string `name:"order-by" placeholder:"FIELD [desc],…" help:"Order, as in 'document_time desc'; default is by id."`
	Count    string `default:"none" enum:"none,exact,estimated" help:"Count them too: none, exact or estimated."`
	Limit    int    `default:"50" help:"Most documents to list; 0 lists all."`
}

// Run prints one line a document.
func (c *DocumentListCmd) Run(ctx context.Context, app *App) error {
	return askPages(ctx, app, documentService, c.Limit, crmv1.DocumentServiceClient.ListDocuments,
		&crmv1.ListDocumentsRequest{CustomerId: c.Customer, Filter: c.Filter, OrderBy: c.OrderBy, Count: countModes[c.Count]},
		(*crmv1.ListDocumentsResponse).GetDocuments, show.Documents)
}

// DocumentShowCmd shows one document.
type DocumentShowCmd struct {
	Document documentName `arg:"" placeholder:"ID|SOURCE/EXTERNAL-ID" help:"Id of the document, or source and external id as in archive/17."`
}

// documentName is the id of a document or an external key.
type documentName struct{ customerName }

// UnmarshalText reads 42 or archive/17.
func (n *documentName) UnmarshalText(text []byte) error {
	if err := n.customerName.UnmarshalText(text); err != nil {
		return fmt.Errorf("%q is neither the id of a document nor source/external-id", text)
	}
	return nil
}

// Run prints what is known of the document, and its text.
func (c *DocumentShowCmd) Run(ctx context.Context, app *App) error {
	return ask(ctx, app, documentService, callTimeout, crmv1.DocumentServiceClient.GetDocument,
		&crmv1.GetDocumentRequest{DocumentId: c.Document.id, Key: c.Document.key},
		func(out io.Writer, r *crmv1.GetDocumentResponse) error { return show.Document(out, r.GetDocument()) })
}
