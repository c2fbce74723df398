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

// Insights prints how results of runs came to stand beside a customer, one line each.
func Insights(w io.Writer, changes []*crmv1.InsightChange) error {
	if len(changes) == 0 {
		_, err := fmt.Fprintln(w, "no segment and no score ever stood beside the customer")
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line(t, "from", "to", "kind", "name", "what", "before", "grade", "as of", "version", "age", "run")
	for _, c := range changes {
		line(t, Time(c.GetAppliedTime()), Time(c.GetReplacedTime()), Name(c.GetKind(), "INSIGHT_KIND_"), c.GetName(), insight(c), insightBefore(c),
			orNone(c.GetGrade()), Date(c.GetAsOf()), fmt.Sprint(c.GetDefinitionVersion()), Age(c.GetAgeSeconds()), c.GetRunId())
	}
	return t.Flush()
}

// insight is what came to stand.
func insight(c *crmv1.InsightChange) string {
	switch {
	case c.GetKind() == crmv1.InsightKind_INSIGHT_KIND_SCORE && c.GetPresent():
		return fmt.Sprintf("%.4g", c.GetValue())
	case c.GetKind() == crmv1.InsightKind_INSIGHT_KIND_SCORE:
		return "none"
	case c.GetPresent():
		return "joined"
	}
	return "left"
}

func insightBefore(c *crmv1.InsightChange) string {
	if c.GetKind() != crmv1.InsightKind_INSIGHT_KIND_SCORE {
		return orNone("")
	}
	return fmt.Sprintf("%.4g", c.GetPreviousValue())
}
