package search_test

import (
	"log/slog"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/types/known/fieldmaskpb"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/search"
	"tandem.bank/services/crm/internal/sight"
)

// long is longer than one part of a document, and has its rare words at the end.
var long = strings.Repeat("Článek smlouvy o úvěru. ", 1500) + "Zástavní právo k nemovitosti Kolovraty"

// files adds documents of some customers.
func (w *town) files(t testing.TB) {
	t.Helper()
	paper := func(id, who, title, text string) *crmv1.Document {
		return &crmv1.Document{
			Key: key(id), CustomerKey: key(who), Kind: crmv1.DocumentKind_DOCUMENT_KIND_CONTRACT, Title: title, Text: text,
		}
	}
	answer, err := w.documents.BatchUpsertDocuments(t.Context(), &crmv1.BatchUpsertDocumentsRequest{Documents: []*crmv1.Document{
		paper("d1", "taras", "Договор поручительства", "Поручители отвечают солидарно"),
		paper("d2", "bob", "Mortgage deed", "The borrower repays the loan by instalments"),
		paper("d3", "jan", "Smlouva 17/2026", long),
	}})
	taken(t, answer.GetResults(), err)
}

func TestDocuments(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.furnish(t)
	w.files(t)
	for query, want := range map[string]string{
		"поручитель":                    "taras:text",
		"Шевченко солидарно":            "taras:text",
		"Smith instalment":              "bob:text",
		"mortgage":                      "bob:text",
		`"loan by instalments"`:         "bob:text",
		"Kolovraty":                     "jan:text",
		`"nemovitosti Kolovraty"`:       "jan:text",
		`"Smlouva 17/2026"`:             "jan:text",
		"Novák Kolovraty -instalments":  "jan:text",
		"Robert -borrower":              "",
		"Novák -Kolovraty -Zgubiona":    "jana:prefix",
		"instalments OR солидарно":      "taras:text bob:text",
		`"repays instalments" Robert`:   "",
		"úvěru smlouvy article Smythe*": "",
	} {
		if got := w.ask(t, query); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	answer, err := w.search.SearchCustomers(t.Context(), &crmv1.SearchCustomersRequest{Query: "Kolovraty"})
	if err != nil || len(answer.GetHits()) != 1 || len(answer.GetHits()[0].GetMatches()) != 1 {
		t.Fatalf("%v, %v", answer, err)
	}
	match := answer.GetHits()[0].GetMatches()[0]
	if match.GetField() != "document.text" || match.GetDocumentId() == 0 || !strings.HasSuffix(match.GetSnippet(), "k nemovitosti ⟦Kolovraty⟧") {
		t.Errorf("shows %v", match)
	}
}

// What a document says no longer finds nobody any more, and a document that is gone takes its words along.
func TestDocumentChanges(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.furnish(t)
	w.files(t)
	found, err := w.documents.GetDocument(t.Context(), &crmv1.GetDocumentRequest{Key: key("d3")})
	if err != nil {
		t.Fatal(err)
	}
	d := found.GetDocument()
	d.Text = "Jistina byla splacena"
	if _, err := w.documents.UpdateDocument(t.Context(), &crmv1.UpdateDocumentRequest{
		Document: d, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"text"}},
	}); err != nil {
		t.Fatal(err)
	}
	if gone, now := w.ask(t, "Kolovraty"), w.ask(t, "jistina"); gone != "" || now != "jan:text" {
		t.Errorf("the old text finds %q, the new one %q", gone, now)
	}
	if _, err := w.pool.Exec(t.Context(), "DELETE FROM document WHERE external_id = 'n-d3'"); err != nil {
		t.Fatal(err)
	}
	if got := w.ask(t, "jistina"); got != "" {
		t.Errorf("a document that is gone finds %q", got)
	}
}

// define makes an attribute that customers can be searched by, or not.
func (w *town) define(t testing.TB, name string, kind crmv1.AttributeType, searchable bool, allowed ...string) {
	t.Helper()
	if _, err := w.attributes.CreateAttributeDefinition(t.Context(), &crmv1.CreateAttributeDefinitionRequest{
		AttributeDefinition: &crmv1.AttributeDefinition{Name: name, Title: name, Type: kind, Searchable: searchable, AllowedValues: allowed},
	}); err != nil {
		t.Fatal(err)
	}
}

// club defines attributes and gives values to a customer.
func (w *town) club(t testing.TB) {
	t.Helper()
	w.define(t, "club", crmv1.AttributeType_ATTRIBUTE_TYPE_OPTION, true, "platinum", "silver")
	w.define(t, "old_number", crmv1.AttributeType_ATTRIBUTE_TYPE_TEXT, true)
	w.define(t, "locker", crmv1.AttributeType_ATTRIBUTE_TYPE_INTEGER, true)
	w.define(t, "met", crmv1.AttributeType_ATTRIBUTE_TYPE_TEXT, false)
	eva := person("eva", "Eva", "Malá")
	eva.Attributes = map[string]*crmv1.AttributeValue{
		"club":       {Value: &crmv1.AttributeValue_Option{Option: "platinum"}},
		"old_number": {Value: &crmv1.AttributeValue_Text{Text: "ŽX-48/Тест"}},
		"locker":     {Value: &crmv1.AttributeValue_Integer{Integer: 90417}},
		"met":        {Value: &crmv1.AttributeValue_Text{Text: "veletrh"}},
	}
	w.add(t, eva, person("petr", "Petr", "Silver"))
}

func TestAttributes(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.club(t)
	for query, want := range map[string]string{
		"platinum": "eva:exact", "Eva platinum": "eva:exact", "plat*": "eva:prefix", "zx-48": "eva:exact", "test": "eva:equivalent",
		"90417": "eva:exact", "veletrh": "", "platnum": "", "silver": "petr:exact", "Eva -platinum": "",
	} {
		if got := w.ask(t, query); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	answer, err := w.search.SearchCustomers(t.Context(), &crmv1.SearchCustomersRequest{Query: "platinum", Filter: `attributes.locker > 90000`})
	if err != nil || len(answer.GetHits()) != 1 {
		t.Fatalf("%v, %v", answer, err)
	}
	shown := answer.GetHits()[0].GetMatches()
	if len(shown) != 1 || shown[0].GetField() != "attributes.club" || shown[0].GetSnippet() != "platinum" {
		t.Errorf("shows %v", shown)
	}
	for clouded, wants := range map[string][2]string{
		"Customer.attributes": {"", "eva:exact"}, "Individual.given_name": {"eva:exact", ""},
	} {
		ctx := sight.With(t.Context(), &sight.Sight{Rows: sight.Rows{All: true}, Clouded: map[string]bool{clouded: true}})
		for i, query := range []string{"platinum", "Eva"} {
			answer, err := w.search.SearchCustomers(ctx, &crmv1.SearchCustomersRequest{Query: query})
			if err != nil || found(answer.GetHits()) != wants[i] {
				t.Errorf("without %s, %s finds %q, %v", clouded, query, found(answer.GetHits()), err)
			}
		}
	}
}

// An attribute that becomes searchable finds those who had it before, and one that no longer is finds nobody.
func TestAttributeBecomesSearchable(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.club(t)
	filler := search.NewFiller(w.pool, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if _, err := filler.Fill(t.Context()); err != nil {
		t.Fatal(err)
	}
	list, err := w.attributes.ListAttributeDefinitions(t.Context(), &crmv1.ListAttributeDefinitionsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range list.GetAttributeDefinitions() {
		if !slices.Contains([]string{"met", "club"}, d.GetName()) {
			continue
		}
		d.Searchable = !d.GetSearchable()
		if _, err := w.attributes.UpdateAttributeDefinition(t.Context(), &crmv1.UpdateAttributeDefinitionRequest{
			AttributeDefinition: d, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"searchable"}},
		}); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []search.Filled{{Customers: 1}, {}} {
		if filled, err := filler.Fill(t.Context()); err != nil || filled != want {
			t.Fatalf("filled %+v, want %+v: %v", filled, want, err)
		}
	}
	if met, club, old := w.ask(t, "veletrh"), w.ask(t, "platinum"), w.ask(t, "zx-48"); met != "eva:exact" || club != "" || old != "eva:exact" {
		t.Errorf("%q, %q, %q", met, club, old)
	}
}
