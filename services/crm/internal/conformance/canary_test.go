package conformance

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/type/latlng"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/auth"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// canaries are texts of which each stands in fields of one class only.
var canaries = map[string][]string{
	"names":           {"Kanarek", "Zluty", "Pestry", "Interpreta", "Childcan"},
	"contact":         {"+420777123456", "canary@example.org", "Cagestreet", "Canarytown", "Aviary"},
	"identifiers":     {"CANARY99", "7360285163"},
	"income":          {"Birdworks", "Chiefsinger", "31337"},
	"account_numbers": {"998877665544"},
	"cards":           {"tokcanary", "412345", "9753"},
	"balances":        {"6543210"},
	"amounts":         {"7654321", "8765432", "1000007"},
	"free_text":       {"Subjectcan", "Textcan", "archive/can", "Notecan", "Stateword", "Proofcan", "Wherefore", "Descrican"},
	"attributes":      {"Attrican"},
	"behaviour":       {"visitorcan", "/pagecan", "Propcan"},
}

// shownTo says which classes a role sees in full; administrators see all.
var shownTo = map[string][]string{
	auth.RoleAnalyst:  {"income", "balances", "amounts"},
	auth.RoleMarketer: {"income", "behaviour"},
}

// No answer holds what a role does not see in full, whatever field, title or snippet it comes by.
func TestAnswersHoldNothingHidden(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	id := b.plant(t)
	everything := b.readAll(t, b.callers.As(t, t.Context(), "root"), id, false)
	for class, texts := range canaries {
		for _, text := range texts {
			if !strings.Contains(everything, text) {
				t.Errorf("%s: %q is in no answer: the test looks for nothing", class, text)
			}
		}
	}
	for role, shown := range shownTo {
		answers := b.readAll(t, b.callers.As(t, t.Context(), "somebody", role), id, true)
		for class, texts := range canaries {
			for _, text := range texts {
				if at := strings.Index(answers, text); at >= 0 && !slices.Contains(shown, class) {
					t.Errorf("%s reads %q of %s: …%s…", role, text, class, answers[max(0, at-120):min(len(answers), at+60)])
				} else if at < 0 && slices.Contains(shown, class) {
					t.Errorf("%s does not read %q of %s", role, text, class)
				}
			}
		}
	}
}

// plant fills a customer and what belongs to him with canaries.
func (b *bank) plant(t *testing.T) int64 {
	t.Helper()
	b.upsert(t, definitions, &crmv1.AttributeDefinition{
		Key: fixed("attribute"), Name: "nickname", Title: "Nickname", Type: crmv1.AttributeType_ATTRIBUTE_TYPE_TEXT, Personal: true,
	})
	who := person()
	who.GivenName, who.FamilyName, who.MiddleName = "Kanarek", "Zluty", "Pestry"
	who.GivenNameLatin, who.FamilyNameLatin, who.MiddleNameLatin = "Kanarek", "Zluty", "Pestry"
	who.EmployerName, who.Position, who.MonthlyIncome = "Birdworks", "Chiefsinger", crowns(31337)
	who.IdentityDocuments[0].Number = "CANARY99"
	where := home()
	where.Address.Street, where.Address.City = "Cagestreet 1", "Canarytown"
	id := b.upsert(t, customers, &crmv1.Customer{
		Key: fixed("canary"), Party: &crmv1.Customer_Individual{Individual: who}, Phone: "+420777123456", Email: "canary@example.org",
		ContactPoints: []*crmv1.ContactPoint{where}, StateNote: "Stateword", StateReason: crmv1.CustomerStateReason_CUSTOMER_STATE_REASON_REFERRAL,
		Attributes: map[string]*crmv1.AttributeValue{"nickname": {Value: &crmv1.AttributeValue_Text{Text: "Attrican"}}},
	})[0]
	account := b.upsert(t, accounts, &crmv1.Account{Key: fixed("cage"), Number: "998877665544", Currency: "CZK", OverdraftLimit: crowns(1000007)})[0]
	b.upsert(t, holders, &crmv1.AccountHolder{Key: fixed("cage"), AccountId: account, CustomerId: id, Role: crmv1.HolderRole_HOLDER_ROLE_OWNER})
	b.upsert(t, cards, &crmv1.Card{Key: fixed("cage"), AccountHolderKey: fixed("cage"), Token: "tokcanary", First6: "412345", Last4: "9753", Expiry: day(2031, 3, 1)})
	b.upsert(t, contracts, &crmv1.Contract{
		Key: fixed("cage"), AccountId: account, Kind: crmv1.ContractKind_CONTRACT_KIND_LOAN, Amount: crowns(7654321), CounterpartyAccount: "998877665544",
	})
	b.upsert(t, interactions, &crmv1.Interaction{
		Key: fixed("cage"), CustomerId: id, Kind: crmv1.InteractionKind_INTERACTION_KIND_CALL, OpenedTime: at(1), Subject: "Subjectcan", Text: "Textcan said.",
		Documents: []string{"archive/can"}, Place: "Aviary", Location: &latlng.LatLng{Latitude: 1, Longitude: 2},
		Participants: []*crmv1.Participant{{Name: "Interpreta", Role: crmv1.ParticipantRole_PARTICIPANT_ROLE_INTERPRETER}},
	})
	b.upsert(t, relations, &crmv1.Relation{
		Key: fixed("cage"), CustomerId: id, Type: crmv1.RelationType_RELATION_TYPE_CHILD, OtherName: "Childcan", Note: "Notecan", ValidFrom: day(2020, 1, 1),
	})
	b.upsert(t, consents, &crmv1.Consent{
		Key: fixed("cage"), CustomerId: id, Purpose: "marketing", Channel: crmv1.ConsentChannel_CONSENT_CHANNEL_ANY, GrantedTime: at(1), Proof: "Proofcan",
		WithdrawnTime: at(2), WithdrawalReason: "Wherefore",
	})
	b.move(t, account, id)
	return id
}

// move adds what is no kind of the suite.
func (b *bank) move(t *testing.T, account, customer int64) {
	t.Helper()
	moved, err := crmv1.NewTransactionServiceClient(b.conn).BatchUpsertTransactions(t.Context(), &crmv1.BatchUpsertTransactionsRequest{
		Transactions: []*crmv1.Transaction{{
			Key: fixed("cage"), AccountId: account, BusinessDate: day(2026, 3, 14), Direction: crmv1.Direction_DIRECTION_CREDIT, Amount: crowns(8765432),
			CounterpartyAccount: "998877665544", Description: "Descrican",
		}},
	})
	if err != nil || moved.GetResults()[0].GetError() != nil {
		t.Fatal(moved, err)
	}
	stated, err := crmv1.NewBalanceServiceClient(b.conn).BatchUpsertBalances(t.Context(), &crmv1.BatchUpsertBalancesRequest{
		Balances: []*crmv1.AccountBalance{{AccountId: account, BusinessDate: day(2026, 3, 20), Ledger: crowns(6543210), AsOfTime: at(27600)}},
	})
	if err != nil || stated.GetResults()[0].GetError() != nil {
		t.Fatal(stated, err)
	}
	seen, err := crmv1.NewBehaviourServiceClient(b.conn).BatchRecordBehaviourEvents(t.Context(), &crmv1.BatchRecordBehaviourEventsRequest{
		Events: []*crmv1.BehaviourEvent{{
			Key: fixed("cage"), CustomerId: customer, VisitorId: "visitorcan", Page: "/pagecan", Properties: map[string]string{"p": "Propcan"},
			Kind: crmv1.BehaviourKind_BEHAVIOUR_KIND_SITE_VISIT, Time: at(3),
		}},
	})
	if err != nil || seen.GetResults()[0].GetError() != nil {
		t.Fatal(seen, err)
	}
}

// readAll makes every read that a caller may make, and returns the answers as one text. What the caller may not call at all
// is left out; only administrators must be let in everywhere.
func (b *bank) readAll(t *testing.T, ctx context.Context, id int64, mayRefuse bool) string { //nolint:revive // a test comes first
	t.Helper()
	var all strings.Builder
	take := func(m proto.Message, err error) {
		t.Helper()
		if err != nil && (!mayRefuse || status.Code(err) != codes.PermissionDenied) {
			t.Fatal(err)
		}
		if err == nil {
			_, _ = fmt.Fprintln(&all, protojson.Format(m))
		}
	}
	for _, k := range scoped {
		records, _, err := b.list(ctx, k, 100, "", "")
		if err != nil {
			take(nil, err)
		}
		for _, m := range records {
			take(m, nil)
			if k.has("Get" + k.one) {
				take(b.get(ctx, k, k.id(m)))
			}
		}
	}
	for _, word := range []string{"kanarek", "Textcan", "CANARY99", "+420777123456", "998877665544", "Birdworks", "childcan"} {
		take(crmv1.NewSearchServiceClient(b.conn).SearchCustomers(ctx, &crmv1.SearchCustomersRequest{Query: word}))
	}
	take(crmv1.NewCustomer360ServiceClient(b.conn).GetCustomer360(ctx, &crmv1.GetCustomer360Request{CustomerId: id}))
	take(crmv1.NewTimelineServiceClient(b.conn).ListTimeline(ctx, &crmv1.ListTimelineRequest{CustomerId: id}))
	take(crmv1.NewBehaviourServiceClient(b.conn).ListBehaviourEvents(ctx, &crmv1.ListBehaviourEventsRequest{CustomerId: id}))
	take(crmv1.NewBehaviourServiceClient(b.conn).ListBehaviourEvents(ctx, &crmv1.ListBehaviourEventsRequest{VisitorId: "visitorcan"}))
	take(crmv1.NewTransactionServiceClient(b.conn).ListTransactions(ctx, &crmv1.ListTransactionsRequest{CustomerId: id}))
	take(crmv1.NewRelationServiceClient(b.conn).ExploreRelations(ctx, &crmv1.ExploreRelationsRequest{CustomerId: id}))
	take(crmv1.NewCustomerServiceClient(b.conn).ListCustomerStateChanges(ctx, &crmv1.ListCustomerStateChangesRequest{CustomerId: id}))
	take(crmv1.NewConsentServiceClient(b.conn).CheckConsent(ctx, &crmv1.CheckConsentRequest{
		CustomerId: id, Purpose: "marketing", Channel: crmv1.ConsentChannel_CONSENT_CHANNEL_EMAIL,
	}))
	return all.String()
}
