package show

import (
	"fmt"
	"io"
	"text/tabwriter"

	"google.golang.org/protobuf/proto"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// Timeline prints what happened with a customer, one line an entry.
func Timeline(w io.Writer, entries []*crmv1.TimelineEntry) error {
	if len(entries) == 0 {
		_, err := fmt.Fprintln(w, "nothing happened")
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line(t, "time", "kind", "what", "channel", "record", "source", "by")
	for _, e := range entries {
		line(t, Time(e.GetTime()), Name(e.GetKind(), "TIMELINE_KIND_"), orNone(e.GetTitle()), orNone(e.GetChannel()),
			fmt.Sprintf("%s %d", e.GetEntity(), e.GetEntityId()), orNone(e.GetSource()), orNone(e.GetActor()))
	}
	return t.Flush()
}

// Documents prints documents, one line each.
func Documents(w io.Writer, list *crmv1.ListDocumentsResponse) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line(t, "document", "customer", "kind", "title", "language", "bytes", "of")
	for _, d := range list.GetDocuments() {
		line(t, fmt.Sprint(d.GetDocumentId()), fmt.Sprint(d.GetCustomerId()), Name(d.GetKind(), "DOCUMENT_KIND_"), orNone(d.GetTitle()),
			orNone(d.GetLanguage()), Count(d.GetTextBytes()), Time(d.GetDocumentTime()))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	return counted(w, list.GetCount(), "document")
}

// Document prints a document: what is known of it, and its text.
func Document(w io.Writer, d *crmv1.Document) error {
	_, _ = fmt.Fprintf(w, "Document %d\n", d.GetDocumentId())
	known := proto.CloneOf(d)
	known.Text = ""
	Facts(w, known.ProtoReflect())
	_, err := fmt.Fprintf(w, "\n%s\n", d.GetText())
	return err
}
