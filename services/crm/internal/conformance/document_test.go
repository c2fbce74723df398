package conformance

import (
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// exerciseDocuments lists a customer's documents, and finds customers by theirs.
func (b *bank) exerciseDocuments(t *testing.T, customerID int64) {
	t.Helper()
	client := crmv1.NewDocumentServiceClient(b.conn)
	for _, filter := range []string{"", `kind = "contract"`, "account_id = 77"} {
		r, err := client.ListDocuments(t.Context(), &crmv1.ListDocumentsRequest{CustomerId: customerID, PageSize: 1, Filter: filter})
		if err == nil && r.GetNextPageToken() != "" {
			_, err = client.ListDocuments(t.Context(), &crmv1.ListDocumentsRequest{
				CustomerId: customerID, PageSize: 1, Filter: filter, PageToken: r.GetNextPageToken(),
			})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, field := range []string{"account_id", "contract_id", "interaction_id"} {
		b.listTwice(t, documents, field+" = 77")
	}
}

// A document keeps a long text, tells its length, and shows it to who reads the document, not in lists and not in events.
func TestDocumentTexts(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	const words = "Vážená paní, "
	long := strings.Repeat(words, 256<<10/len(words))
	letter := func(n int, edit func(*crmv1.Document)) *crmv1.Document {
		d := documents.sample("texts", n).(*crmv1.Document)
		d.Text = long
		if edit != nil {
			edit(d)
		}
		return d
	}
	results := b.sent(t, documents, "", []proto.Message{
		letter(1, func(d *crmv1.Document) { d.Language = "EN_us" }),
		letter(2, func(d *crmv1.Document) { d.Text += words + words }),
		letter(3, func(d *crmv1.Document) { d.Text = "It was 4111 1111 1111 1111." }),
		letter(4, func(d *crmv1.Document) { d.OriginalUri = "in the cellar" }),
		letter(5, func(d *crmv1.Document) { d.MediaType = "PDF" }),
		letter(6, func(d *crmv1.Document) { d.Language = "Czech!" }),
		letter(7, func(d *crmv1.Document) { d.InteractionKey = fixed("nothing") }),
		letter(8, func(d *crmv1.Document) { d.Kind = 99 }),
	}, created, rejected, rejected, rejected, rejected, rejected, rejected, rejected)
	for i, field := range map[int]string{1: "text", 2: "text", 3: "original_uri", 4: "media_type", 5: "language", 7: "kind"} {
		if !strings.Contains(results[i].GetError().String(), `"`+field+`"`) {
			t.Errorf("row %d is refused for %v, want %s", i, results[i].GetError(), field)
		}
	}
	refusal{codes.NotFound, apperr.ReasonReferenceNotFound, "interaction_key"}.checkRow(t, results[6])

	id := results[0].GetId()
	client := crmv1.NewDocumentServiceClient(b.conn)
	got, err := client.GetDocument(t.Context(), &crmv1.GetDocumentRequest{DocumentId: id})
	stored := got.GetDocument()
	if err != nil || stored.GetText() != long || int(stored.GetTextBytes()) != len(long) || stored.GetLanguage() != "en-US" {
		t.Fatalf("%d bytes of %d in %q, %v", stored.GetTextBytes(), len(long), stored.GetLanguage(), err)
	}
	list, err := client.ListDocuments(t.Context(), &crmv1.ListDocumentsRequest{CustomerId: stored.GetCustomerId()})
	if err != nil || len(list.GetDocuments()) != 1 {
		t.Fatalf("%v, %v", list, err)
	}
	shown := list.GetDocuments()[0]
	if stored.Text = ""; !proto.Equal(shown, stored) {
		t.Errorf("listed is %v, want %v", shown, stored)
	}

	// A change of the title keeps the text; the customer stays.
	m, err := b.update(t.Context(), documents, &crmv1.Document{DocumentId: id, Title: "Another title"}, "")
	if err != nil || m.(*crmv1.Document).GetText() != long {
		t.Errorf("the change of a title: %v", err)
	}
	_, err = b.update(t.Context(), documents, &crmv1.Document{DocumentId: id, CustomerKey: fixed("other customer")}, "")
	refused("document.customer_id").check(t, err)
	_, err = b.update(t.Context(), documents, &crmv1.Document{DocumentId: id, TextBytes: 1}, "", "text_bytes")
	refused("update_mask").check(t, err)
	for _, change := range b.changes(t, documents, id) {
		text := change.String()
		if strings.Contains(text, "title") || strings.Contains(text, "paní") || strings.Contains(text, "archive") ||
			int(change.GetDocument().GetTextBytes()) != len(long) {
			t.Errorf("the event says %s", text)
		}
	}
}
