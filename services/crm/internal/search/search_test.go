package search_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/testkit"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/account"
	"tandem.bank/services/crm/internal/attribute"
	"tandem.bank/services/crm/internal/card"
	"tandem.bank/services/crm/internal/customer"
	"tandem.bank/services/crm/internal/document"
	"tandem.bank/services/crm/internal/interaction"
	"tandem.bank/services/crm/internal/search"
	"tandem.bank/services/crm/migrations"
)

var template = testkit.Template{Name: "crm", Migrate: migrations.Migrate}

// town is a bank with a few customers who are known by their external ids.
type town struct {
	pool       *pgxpool.Pool
	customers  *customer.Server
	documents  *document.Server
	attributes *attribute.Server
	search     *search.Server
	// seen remembers the statements, where somebody asked for that.
	seen *recorder
}

func newTown(t testing.TB) *town {
	t.Helper()
	pool := testkit.Postgres(t, template)
	return settle(pool, slog.New(slog.NewTextHandler(t.Output(), nil)))
}

// settle opens the rooms of a bank on a database.
func settle(pool *pgxpool.Pool, log *slog.Logger) *town {
	catalogue := attribute.NewCatalogue()
	index := search.NewIndex(catalogue)
	return &town{
		pool: pool, customers: customer.NewServer(pool, log, index.Customers).With(catalogue),
		documents:  document.NewServer(pool, log, index.Documents),
		attributes: attribute.NewServer(pool, log, catalogue, customer.Attributes{}),
		search:     search.NewServer(pool).With(catalogue),
	}
}

func key(id string) *crmv1.ExternalKey {
	return &crmv1.ExternalKey{Source: "town", ExternalId: "n-" + id}
}

func person(id, given, family string) *crmv1.Customer {
	return &crmv1.Customer{Key: key(id), Party: &crmv1.Customer_Individual{Individual: &crmv1.Individual{GivenName: given, FamilyName: family}}}
}

func (w *town) add(t testing.TB, customers ...*crmv1.Customer) {
	t.Helper()
	answer, err := w.customers.BatchUpsertCustomers(t.Context(), &crmv1.BatchUpsertCustomersRequest{Customers: customers})
	taken(t, answer.GetResults(), err)
}

func taken(t testing.TB, results []*crmv1.UpsertResult, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range results {
		if r.GetError() != nil {
			t.Fatalf("row %d: %s", i, r.GetError().GetMessage())
		}
	}
}

// furnish adds people of several languages, a company, accounts, cards and what was spoken about.
func (w *town) furnish(t testing.TB) {
	t.Helper()
	jan := person("jan", "Jan", "Novák")
	jan.Phone, jan.Email = "+420601123456", "Jan.Novak@example.org"
	taras := person("taras", "Тарас", "Шевченко")
	taras.Phone = "+380671234567"
	ivan := person("ivan", "Иван", "Ковалёв")
	ivan.Phone = "+79161234567"
	company := &crmv1.Customer{Key: key("works"), Party: &crmv1.Customer_Organisation{Organisation: &crmv1.Organisation{
		LegalName: "Elektro Dvořák, s.r.o.", RegistrationNumber: "27604977",
	}}}
	w.add(t, jan, person("jana", "Jana", "Nováková"), taras, person("shev", "Oksana", "Shevchenko"), ivan, company,
		person("mariana", "Мар'яна", "Ґудзь-Їжакевич"), person("bob", "Robert", "Smith"), person("sasha", "Александр", "Григорьев"),
		person("muller", "Jürgen", "Müller"), person("smyth", "Alice", "Smythe"), person("nobody", "", ""))

	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	accounts := account.NewServer(w.pool, log)
	made, err := accounts.BatchUpsertAccounts(t.Context(), &crmv1.BatchUpsertAccountsRequest{Accounts: []*crmv1.Account{
		{Key: key("a1"), Number: "CZ65 0800 0000 1920 0014 5399", Currency: "CZK"},
		{Key: key("a2"), Number: "19-2000145399/0800", Currency: "CZK"},
	}})
	taken(t, made.GetResults(), err)
	held, err := accounts.BatchUpsertAccountHolders(t.Context(), &crmv1.BatchUpsertAccountHoldersRequest{AccountHolders: []*crmv1.AccountHolder{
		{Key: key("h1"), AccountKey: key("a1"), CustomerKey: key("jan"), Role: crmv1.HolderRole_HOLDER_ROLE_OWNER},
		{Key: key("h2"), AccountKey: key("a2"), CustomerKey: key("taras"), Role: crmv1.HolderRole_HOLDER_ROLE_OWNER},
	}})
	taken(t, held.GetResults(), err)
	cards, err := card.NewServer(w.pool, log).BatchUpsertCards(t.Context(), &crmv1.BatchUpsertCardsRequest{Cards: []*crmv1.Card{
		{Key: key("c1"), First6: "400203", Last4: "4321", AccountKey: key("a1"), CustomerKey: key("jan")},
	}})
	taken(t, cards.GetResults(), err)
	spoken := func(id, who, subject, text string) *crmv1.Interaction {
		return &crmv1.Interaction{
			Key: key(id), CustomerKey: key(who), Kind: crmv1.InteractionKind_INTERACTION_KIND_CALL,
			OpenedTime: timestamppb.Now(), Subject: subject, Text: text,
		}
	}
	talks, err := interaction.NewServer(w.pool, log, time.UTC).BatchUpsertInteractions(t.Context(), &crmv1.BatchUpsertInteractionsRequest{
		Interactions: []*crmv1.Interaction{
			spoken("i1", "ivan", "Ипотека", "Клиент спрашивал о кредитах для покупки квартиры"),
			spoken("i2", "bob", "Mortgages", "Asked about lending rates; the mortgage was explained"),
			spoken("i3", "mariana", "Пам’ять", "Питання про кредитну картку"),
			spoken("i4", "jana", "Hypotéka", "Chce hypotéku na dům"),
			spoken("i5", "jan", "Wizyta", "Zgubiona karta; Novák přijde znovu"),
		},
	})
	taken(t, talks.GetResults(), err)
}

// found renders hits as "id:level".
func found(hits []*crmv1.SearchHit) string {
	out := make([]string, len(hits))
	for i, h := range hits {
		level := strings.TrimPrefix(h.GetLevel().String(), "MATCH_LEVEL_")
		out[i] = strings.TrimPrefix(h.GetCustomer().GetKey().GetExternalId(), "n-") + ":" + strings.ToLower(level)
	}
	return strings.Join(out, " ")
}

func TestSearch(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.furnish(t)
	cases := []struct{ query, want string }{
		// Names as they are written.
		{"novak", "jan:exact jana:prefix"},
		{"NOVÁK Jan", "jan:exact jana:prefix"},
		{`"Jan Novák"`, "jan:exact"},
		{`"Novák Jan"`, "jan:exact"},
		{`"Novák Jana"`, ""},
		{`"Jan Nov*"`, "jan:prefix"},
		{"Jan - Novák", "jan:exact jana:prefix"},
		{"Мар’яна", "mariana:exact"},
		{"Марʼяна гудзь", "mariana:exact"},
		{"ижакевич", "mariana:equivalent"},
		{"ковалев", "ivan:exact"},
		{"dvorak", "works:exact"},
		// Scripts and romanisations, both ways.
		{"Шевченко", "taras:exact shev:equivalent"},
		{"Shevchenko", "taras:exact shev:exact"}, // one as a passport spells it,
		{"Ševčenko", "taras:equivalent shev:equivalent"},
		{"Szewczenko Taras", "taras:equivalent"},
		{"Kovalyov", "ivan:similar"},
		{"Hryhoriev", "sasha:equivalent"},
		{"Григорьев", "sasha:exact"},
		{"Mueller", "muller:equivalent"},
		{"Дворжак", "works:similar"},
		// Synonyms.
		{"Honza", "jan:equivalent ivan:equivalent"},
		{"Bob Smith", "bob:equivalent"},
		{"Саша", "sasha:equivalent"},
		// Beginnings, and what is misspelt or sounds alike.
		{"Shevch*", "taras:prefix shev:prefix"},
		{"Шевч", "taras:prefix shev:prefix"},
		{"Shevhcenko", "taras:similar shev:similar"},
		{"Smith", "bob:exact smyth:prefix"},
		{"Smitth", "bob:equivalent smyth:prefix"},
		{"Smiht", "bob:similar smyth:similar"},
		{"Novaq", "jan:equivalent jana:prefix"},
		{"Nowacek", "jan:similar"},
		// Operators.
		{"novak -jan", "jana:prefix"},
		{"novak NOT jana", "jan:exact"},
		{"Smith OR Шевченко", "taras:exact bob:exact shev:equivalent smyth:prefix"},
		{"(Smith OR Shevchenko) Oksana", "shev:exact"},
		{"Jan AND (Smith", ""},
		{"karta", "jan:text"},
		{"novak -karta", "jana:prefix"},
		// Identifiers in any spelling.
		{"601 123 456", "jan:identifier"},
		{"+420 601-123-456", "jan:identifier"},
		{"00420601123456", "jan:identifier"},
		{"067 123 45 67", "taras:identifier"},
		{"8 (916) 123-45-67", "ivan:identifier"},
		{"916 123 45 67", "ivan:identifier"},
		{"cz65 0800 0000 1920 0014 5399", "jan:identifier"},
		{"CZ6508000000192000145399", "jan:identifier"},
		{"192000145399/0800", "taras:identifier"},
		{"19-2000145399/0800", "taras:identifier"},
		{"276 04 977", "works:identifier"},
		{"**** 4321", "jan:identifier"},
		{"Novák 4321", "jan:exact"},
		{"XXXX-XXXX-XXXX-4321", "jan:identifier"},
		{"4002 03•• •••• 4321", "jan:identifier"},
		{"520452******4321", ""},
		{"карта 4321", "jan:identifier"},
		{"IBAN: CZ65 0800 0000 1920 0014 5399", "jan:identifier"},
		{"Jan tel. 601\u202f123\u202f456", "jan:exact"},
		{"jan.novak@EXAMPLE.org", "jan:identifier"},
		{"jan.nov*", "jan:prefix jana:similar"},
		{"town/n-taras", "taras:identifier"},
		// Texts, by stems.
		{"ипотеку", "ivan:text"},
		{"кредит", "ivan:text"},
		{"квартира", "ivan:text"},
		{"mortgage", "bob:text"},
		{"lend", "bob:text"},
		{"память", "mariana:text"},
		{"пам'ять", "mariana:text"},
		{"hypoteku", "jana:text"},
		{"Bob mortgage", "bob:text"},
		{`"lending rates"`, "bob:text"},
		{`"rates lending"`, ""},
		{`"lending rat*"`, "bob:text"},
		{"ипот*", "ivan:text"},
	}
	for _, c := range cases {
		answer, err := w.search.SearchCustomers(t.Context(), &crmv1.SearchCustomersRequest{Query: c.query})
		if err != nil {
			t.Errorf("%s: %v", c.query, err)
		} else if diff := cmp.Diff(c.want, found(answer.GetHits())); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.query, diff)
		}
	}
}

func TestHitsSayWhy(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.furnish(t)
	cases := []struct {
		query string
		want  []string
	}{
		{"novak 4321 601123456", []string{"individual.family_name=Novák", "card.last4=4321", "phone=+420601123456", "interaction.text=Wizyta Zgubiona karta; ⟦Novák⟧ přijde znovu"}},
		{"cz65 0800 0000 1920 0014 5399", []string{"account.number=CZ6508000000192000145399"}},
		{"Shevchenko Тарас", []string{"individual.family_name_latin=Shevchenko", "individual.given_name=Тарас"}},
		{"lending", []string{"interaction.text=Mortgages Asked about ⟦lending⟧ rates; the mortgage was explained"}},
	}
	for _, c := range cases {
		answer, err := w.search.SearchCustomers(t.Context(), &crmv1.SearchCustomersRequest{Query: c.query})
		if err != nil || len(answer.GetHits()) != 1 {
			t.Fatalf("%s: %v, %v", c.query, found(answer.GetHits()), err)
		}
		var got []string
		for _, m := range answer.GetHits()[0].GetMatches() {
			got = append(got, m.GetField()+"="+m.GetSnippet())
			if (m.GetField() == "interaction.text") != (m.GetInteractionId() > 0) {
				t.Errorf("%s: %v", c.query, m)
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.query, diff)
		}
	}
}

// Pages join without a gap, through the levels, whatever their size.
func TestPages(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.furnish(t)
	const query = "Smith OR Шевченко OR кредит OR novak"
	whole, err := w.search.SearchCustomers(t.Context(), &crmv1.SearchCustomersRequest{Query: query})
	if err != nil {
		t.Fatal(err)
	}
	for size := int32(1); size <= 4; size++ {
		req, got := &crmv1.SearchCustomersRequest{Query: query, PageSize: size}, []*crmv1.SearchHit{}
		for {
			answer, err := w.search.SearchCustomers(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, answer.GetHits()...)
			if req.PageToken = answer.GetNextPageToken(); req.PageToken == "" {
				break
			}
		}
		if diff := cmp.Diff(found(whole.GetHits()), found(got)); diff != "" {
			t.Errorf("pages of %d (-want +got):\n%s", size, diff)
		}
	}
}

func TestFilter(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.furnish(t)
	for filter, want := range map[string]string{
		`kind = "individual"`:                     "jan:exact jana:prefix",
		`individual.given_name = "Jana"`:          "jana:prefix",
		`key.external_id = "n-jan" AND phone:"6"`: "jan:exact",
		`customer_id > 1000000`:                   "",
	} {
		answer, err := w.search.SearchCustomers(t.Context(), &crmv1.SearchCustomersRequest{Query: "novak", Filter: filter})
		if err != nil || found(answer.GetHits()) != want {
			t.Errorf("%s: %s, %v", filter, found(answer.GetHits()), err)
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	for _, c := range []struct {
		req   *crmv1.SearchCustomersRequest
		field string
	}{
		{&crmv1.SearchCustomersRequest{Query: "-jan"}, "query"},
		{&crmv1.SearchCustomersRequest{Query: `" "`}, "query"},
		{&crmv1.SearchCustomersRequest{Query: strings.Repeat("a ", 33)}, "query"},
		{&crmv1.SearchCustomersRequest{Query: "jan", Filter: "shoe = 1"}, "filter"},
		{&crmv1.SearchCustomersRequest{Query: "12", Filter: "shoe = 1", PageToken: "x"}, "page_token"},
	} {
		_, err := w.search.SearchCustomers(t.Context(), c.req)
		status, _ := apperr.Public(err)
		if status.Code() != codes.InvalidArgument || !strings.HasPrefix(status.Message(), c.field+": ") {
			t.Errorf("%v: %v", c.req, err)
		}
	}
}

// A change of a name is found, and the old name isn't, as soon as the change is done; a change of anything else writes no words.
func TestChanges(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.add(t, person("eva", "Eva", "Malá"))
	w.add(t, person("eva", "Eva", "Veselá"))
	if got := w.ask(t, "Malá"); got != "" {
		t.Errorf("the old name finds %s", got)
	}
	if got := w.ask(t, "Весела"); got != "eva:equivalent" {
		t.Errorf("the new name finds %s", got)
	}
	var before, after string
	state := "SELECT ctid::text FROM customer_search"
	if err := w.pool.QueryRow(t.Context(), state).Scan(&before); err != nil {
		t.Fatal(err)
	}
	changed := person("eva", "Eva", "Veselá")
	changed.Phone = "+420777888999"
	w.add(t, changed)
	if err := w.pool.QueryRow(t.Context(), state).Scan(&after); err != nil || before != after {
		t.Errorf("the words moved from %s to %s, %v", before, after, err)
	}
	if got := w.ask(t, "777 888 999"); got != "eva:identifier" {
		t.Errorf("the new phone finds %s", got)
	}
}

func (w *town) ask(t testing.TB, query string) string {
	t.Helper()
	answer, err := w.search.SearchCustomers(t.Context(), &crmv1.SearchCustomersRequest{Query: query})
	if err != nil {
		t.Fatal(err)
	}
	return found(answer.GetHits())
}

// Customers from before the search, or of older rules, are prepared once.
func TestFill(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.furnish(t)
	if _, err := w.pool.Exec(t.Context(), "DELETE FROM customer_search WHERE customer_id <= 5; UPDATE customer_search SET rules = 0, words = ''"); err != nil {
		t.Fatal(err)
	}
	w.files(t)
	if _, err := w.pool.Exec(t.Context(), "DELETE FROM document_search"); err != nil {
		t.Fatal(err)
	}
	filler := search.NewFiller(w.pool, slog.New(slog.NewTextHandler(t.Output(), nil)))
	for _, want := range []search.Filled{{Customers: 12, Documents: 3}, {}} {
		if filled, err := filler.Fill(t.Context()); err != nil || filled != want {
			t.Fatalf("filled %+v, want %+v: %v", filled, want, err)
		}
	}
	if got := w.ask(t, "поручитель"); got != "taras:text" {
		t.Errorf("after filling, a text of a document finds %s", got)
	}
	if got := w.ask(t, "Шевченко OR Bob"); got != "taras:exact shev:equivalent bob:equivalent" {
		t.Errorf("after filling: %s", got)
	}
}
