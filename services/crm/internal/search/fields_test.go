package search_test

import (
	"slices"
	"testing"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/sight"
)

// wide adds customers with all that customers are found by beside a name and a phone.
func (w *town) wide(t testing.TB) {
	t.Helper()
	petro := person("petro", "Петро", "Ковальчук")
	who := petro.GetIndividual()
	who.MiddleName, who.Citizenships = "Олексійович", []string{"UA"}
	who.TaxId = &crmv1.TaxId{Country: "UA", Number: "3184710691"}
	who.IdentityDocuments = []*crmv1.IdentityDocument{
		{Type: crmv1.IdentityDocumentType_IDENTITY_DOCUMENT_TYPE_PASSPORT, Number: "МЮ № 123-456", IssuingCountry: "UA"},
		{Type: crmv1.IdentityDocumentType_IDENTITY_DOCUMENT_TYPE_DRIVING_LICENCE, Number: "EB7788991"},
	}
	petro.ContactPoints = []*crmv1.ContactPoint{
		{Kind: crmv1.ContactPointKind_CONTACT_POINT_KIND_PHONE, Value: "+380671112233", Primary: true},
		{Kind: crmv1.ContactPointKind_CONTACT_POINT_KIND_PHONE, Value: "+420777111222"},
		{Kind: crmv1.ContactPointKind_CONTACT_POINT_KIND_EMAIL, Value: "Petro@Example.org", Primary: true},
		{Kind: crmv1.ContactPointKind_CONTACT_POINT_KIND_EMAIL, Value: "kovalchuk.work@example.com"},
	}
	named := person("named", "Сергій", "Цвях")
	named.GetIndividual().FamilyNameLatin = "Nagel"
	works := &crmv1.Customer{Key: key("works"), Party: &crmv1.Customer_Organisation{Organisation: &crmv1.Organisation{
		LegalName: "Первая пекарня, ООО", LegalNameLatin: "First Bakery Ltd.", TradeNames: []string{"Солнышко", "Хлеб и соль"},
		TaxIds: []*crmv1.TaxId{{Country: "CZ", Number: "CZ27604977"}, {Country: "RU", Number: "7707083893"}},
	}}}
	w.add(t, petro, named, works, person("jan", "JAN", "Novák"))
}

func TestFields(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.wide(t)
	cases := []struct{ query, want, field string }{
		// Middle names, in the orders in which people say them.
		{"Олексійович", "petro:exact", "individual.middle_name=Олексійович"},
		{"Oleksiyovych", "petro:equivalent", "individual.middle_name=Олексійович"},
		{`"Ковальчук Петро Олексійович"`, "petro:exact", "individual.family_name=Ковальчук"},
		{`"Петро Олексійович Ковальчук"`, "petro:exact", "individual.given_name=Петро"},
		{`"Петро Ковальчук"`, "petro:exact", "individual.given_name=Петро"},
		// The Latin spelling of a passport, and one that a person chose.
		{"Kovalchuk", "petro:exact", "individual.family_name_latin=Kovalchuk"},
		{`"Petro Kovalchuk"`, "petro:exact", "individual.given_name_latin=Petro"},
		{"Nagel", "named:exact", "individual.family_name_latin=Nagel"},
		{"цвях", "named:exact", "individual.family_name=Цвях"},
		{`"Цвях Nagel"`, "", ""},
		// Companies under all their names.
		{"solnyshko", "works:equivalent", "organisation.trade_names=Солнышко"},
		{`"хлеб и соль"`, "works:exact", "organisation.trade_names=Хлеб и соль"},
		{`"солнышко хлеб"`, "", ""},
		{`"first bakery"`, "works:exact", "organisation.legal_name_latin=First Bakery Ltd."},
		// Further phones and addresses.
		{"777 111 222", "petro:identifier", "contact_points.value=+420777111222"},
		{"00420 777 111 222", "petro:identifier", "contact_points.value=+420777111222"},
		{"+420 (777) 111-222", "petro:identifier", "contact_points.value=+420777111222"},
		{"067 111 22 33", "petro:identifier", "phone=+380671112233"},
		{"KOVALCHUK.work@example.com", "petro:identifier", "contact_points.value=kovalchuk.work@example.com"},
		{"kovalchuk.w*", "petro:prefix", "contact_points.value=kovalchuk.work@example.com"},
		{"petro@example.org", "petro:identifier", "email=Petro@Example.org"},
		// Tax ids, with the country's prefix and without, and in groups.
		{"CZ27604977", "works:identifier", "organisation.tax_ids.number=27604977"},
		{"CZ 276 04 977", "works:identifier", "organisation.tax_ids.number=27604977"},
		{"276-04-977", "works:identifier", "organisation.tax_ids.number=27604977"},
		{"7707 083 893", "works:identifier", "organisation.tax_ids.number=7707083893"},
		{"3184710691", "petro:identifier", "individual.tax_id.number=3184710691"},
		// Identity documents.
		{"МЮ123456", "petro:identifier", "individual.identity_documents.number=МЮ123456"},
		{"МЮ 123456", "petro:identifier", "individual.identity_documents.number=МЮ123456"},
		{"МЮ № 123 456", "petro:identifier", "individual.identity_documents.number=МЮ123456"},
		{"мю-123456", "petro:identifier", "individual.identity_documents.number=МЮ123456"},
		{"EB 7788991", "petro:identifier", "individual.identity_documents.number=EB7788991"},
		{"Kovalchuk EB 7788991", "petro:exact", "individual.identity_documents.number=EB7788991"},
		{"EB 7788992", "", ""},
		{"JAN OR 777111222", "petro:identifier jan:exact", "contact_points.value=+420777111222"},
	}
	for _, c := range cases {
		answer, err := w.search.SearchCustomers(t.Context(), &crmv1.SearchCustomersRequest{Query: c.query})
		if err != nil || found(answer.GetHits()) != c.want {
			t.Errorf("%s: %q, want %q, %v", c.query, found(answer.GetHits()), c.want, err)
			continue
		}
		if c.want == "" {
			continue
		}
		var shown []string
		for _, m := range answer.GetHits()[0].GetMatches() {
			shown = append(shown, m.GetField()+"="+m.GetSnippet())
		}
		if !slices.Contains(shown, c.field) {
			t.Errorf("%s: shows %v, not %s", c.query, shown, c.field)
		}
	}
}

// Who does not see a field finds nobody by it.
func TestHiddenFieldsFindNobody(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.wide(t)
	for field, queries := range map[string][]string{
		"Individual.middle_name":        {"Олексійович", "Kovalchuk"}, // words of all names stand together
		"Organisation.trade_names":      {"solnyshko"},
		"Individual.family_name_latin":  {"Nagel"},
		"Customer.contact_points":       {"777 111 222", "kovalchuk.work@example.com", "+420777111222"},
		"Individual.tax_id":             {"3184710691"},
		"Organisation.tax_ids":          {"CZ27604977"},
		"Individual.identity_documents": {"МЮ 123456"},
	} {
		ctx := sight.With(t.Context(), &sight.Sight{Rows: sight.Rows{All: true}, Clouded: map[string]bool{field: true}})
		for _, query := range queries {
			answer, err := w.search.SearchCustomers(ctx, &crmv1.SearchCustomersRequest{Query: query})
			if err != nil || len(answer.GetHits()) > 0 {
				t.Errorf("without %s, %s finds %s, %v", field, query, found(answer.GetHits()), err)
			}
		}
	}
}
