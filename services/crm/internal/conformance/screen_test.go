package conformance

import (
	"testing"

	"google.golang.org/protobuf/proto"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/account"
	"tandem.bank/services/crm/internal/card"
	"tandem.bank/services/crm/internal/contract"
	"tandem.bank/services/crm/internal/customer360"
	"tandem.bank/services/crm/internal/interaction"
)

// The screen shows consents in force with the age of the newest decision behind them, and none after a withdrawal.
func TestScreenConsents(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	screen := customer360.NewServer(b.pool)
	show := func() *crmv1.GetCustomer360Response {
		t.Helper()
		answer, err := screen.GetCustomer360(t.Context(), &crmv1.GetCustomer360Request{Key: fixed("customer")})
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	if answer := show(); len(answer.GetConsents()) != 0 || answer.GetAges()["consents"] != nil {
		t.Errorf("nothing was granted, shown: %v", answer)
	}
	all := b.grant(t, anyChannel, nil, nil)
	no := b.withdraw(t, sms, nil)[0]
	answer := show()
	want := []*crmv1.StandingConsent{{Consent: all, ExceptChannels: []crmv1.ConsentChannel{sms}}}
	same(t, "shown", &crmv1.GetCustomer360Response{Consents: want}, &crmv1.GetCustomer360Response{Consents: answer.GetConsents()})
	age := answer.GetAges()["consents"]
	if age.GetSource() != "crm" || !age.GetNewestChangeTime().AsTime().Equal(no.GetUpdateTime().AsTime()) {
		t.Errorf("the age of consents is %v, the newest change is %s", age, no.GetUpdateTime().AsTime())
	}
	b.withdraw(t, anyChannel, nil)
	if answer := show(); len(answer.GetConsents()) != 0 {
		t.Errorf("everything was withdrawn, shown: %v", answer.GetConsents())
	}
}

// What the rooms give to a customer's screen.
func TestForCustomer(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	ctx := t.Context()
	customer := b.idOf(t, customers, "customer")
	// The fixture owns "account"; it also has a right to "other account", had one to a third and will have one to a fourth.
	b.upsert(t, accounts, accounts.sample("screen", 3), accounts.sample("screen", 4))
	authorised := func(n int, change func(*crmv1.AccountHolder)) proto.Message {
		h := &crmv1.AccountHolder{Key: key("screen", n), CustomerKey: fixed("customer"), Role: crmv1.HolderRole_HOLDER_ROLE_AUTHORISED_USER}
		change(h)
		return h
	}
	b.upsert(t, holders,
		authorised(2, func(h *crmv1.AccountHolder) { h.AccountKey = fixed("other account") }),
		authorised(3, func(h *crmv1.AccountHolder) { h.AccountKey, h.ValidTo = key("screen", 3), day(2020, 1, 1) }),
		authorised(4, func(h *crmv1.AccountHolder) { h.AccountKey, h.ValidFrom = key("screen", 4), day(2999, 1, 1) }))
	held, err := account.ForCustomer(ctx, b.pool, customer, 200)
	if err != nil {
		t.Fatal(err)
	}
	if len(held) != 2 || held[0].GetRole() != crmv1.HolderRole_HOLDER_ROLE_OWNER || held[1].GetRole() != crmv1.HolderRole_HOLDER_ROLE_AUTHORISED_USER ||
		held[1].GetAccount().GetCurrency() != "EUR" {
		t.Errorf("accounts held: %v", held)
	}
	if held, err = account.ForCustomer(ctx, b.pool, customer, 1); err != nil || len(held) != 1 {
		t.Errorf("at most one account: %v, %v", held, err)
	}

	b.upsert(t, cards, cards.sample("screen", 1), cards.sample("screen", 2), cards.sample("screen", 3))
	if shown, err := card.ForCustomer(ctx, b.pool, customer, 2); err != nil || len(shown) != 2 {
		t.Errorf("cards: %v, %v", shown, err)
	}

	elsewhere := contracts.sample("screen", 2).(*crmv1.Contract)
	elsewhere.AccountKey = fixed("other account") // not owned
	own := b.upsert(t, contracts, contracts.sample("screen", 1), elsewhere)[0]
	if shown, err := contract.ForOwner(ctx, b.pool, customer, 200); err != nil || len(shown) != 1 || shown[0].GetContractId() != own {
		t.Errorf("contracts: %v, %v", shown, err)
	}

	samples := make([]proto.Message, 6)
	for i := range samples {
		samples[i] = interactions.sample("screen", 2*i)
	}
	resolved := samples[0].(*crmv1.Interaction)
	resolved.ResolvedTime = resolved.GetDueTime()
	samples[1].(*crmv1.Interaction).Kind = crmv1.InteractionKind_INTERACTION_KIND_REQUEST
	ids := b.upsert(t, interactions, samples...)
	shown, err := interaction.LastForCustomer(ctx, b.pool, customer, 3)
	if err != nil || len(shown) != 3 || shown[0].GetInteractionId() != ids[5] || shown[2].GetInteractionId() != ids[3] {
		t.Errorf("last interactions: %v, %v", shown, err)
	}
	if n, err := interaction.OpenComplaints(ctx, b.pool, customer); err != nil || n != 4 {
		t.Errorf("%d open complaints, %v", n, err)
	}
	nobody := b.idOf(t, customers, "other customer")
	held, err = account.ForCustomer(ctx, b.pool, nobody, 200)
	if err != nil || len(held) != 0 {
		t.Errorf("a customer without accounts holds %v, %v", held, err)
	}
	if shown, err := contract.ForOwner(ctx, b.pool, nobody, 200); err != nil || len(shown) != 0 {
		t.Errorf("a customer without accounts has contracts %v, %v", shown, err)
	}
}
