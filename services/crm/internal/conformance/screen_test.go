package conformance

import (
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/account"
	"tandem.bank/services/crm/internal/card"
	"tandem.bank/services/crm/internal/contract"
	"tandem.bank/services/crm/internal/customer360"
	"tandem.bank/services/crm/internal/interaction"
	"tandem.bank/services/crm/internal/record"
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
	read := func(parts ...record.Part) error { return record.Read(ctx, b.pool, parts...) }
	// Somebody else has a right to an account of the customer's too.
	joint := authorised(5, func(h *crmv1.AccountHolder) {
		h.AccountKey, h.CustomerKey = fixed("other account"), fixed("other customer")
	})
	b.upsert(t, holders, joint)
	var held []*crmv1.HeldAccount
	heldBy := map[int64][]int64{}
	if err := read(account.ForCustomer(&held, func(id int64, by []int64) { heldBy[id] = slices.Sorted(slices.Values(by)) }, customer, 200)); err != nil {
		t.Fatal(err)
	}
	both := []int64{customer, b.idOf(t, customers, "other customer")}
	slices.Sort(both)
	if other := b.idOf(t, accounts, "other account"); len(heldBy) != 2 || !slices.Equal(slices.Compact(heldBy[other]), both) {
		t.Errorf("who holds the accounts: %v, want %v of account %d", heldBy, both, other)
	}
	if len(held) != 2 || held[0].GetRole() != crmv1.HolderRole_HOLDER_ROLE_OWNER || held[1].GetRole() != crmv1.HolderRole_HOLDER_ROLE_AUTHORISED_USER ||
		held[1].GetAccount().GetCurrency() != "EUR" {
		t.Errorf("accounts held: %v", held)
	}
	if err := read(account.ForCustomer(&held, untold, customer, 1)); err != nil || len(held) != 1 {
		t.Errorf("at most one account: %v, %v", held, err)
	}

	b.upsert(t, cards, cards.sample("screen", 1), cards.sample("screen", 2), cards.sample("screen", 3))
	var shownCards []*crmv1.Card
	if err := read(card.ForCustomer(&shownCards, customer, 2)); err != nil || len(shownCards) != 2 {
		t.Errorf("cards: %v, %v", shownCards, err)
	}

	elsewhere := contracts.sample("screen", 2).(*crmv1.Contract)
	elsewhere.AccountKey = fixed("other account") // not owned
	own := b.upsert(t, contracts, contracts.sample("screen", 1), elsewhere)[0]
	var shownContracts []*crmv1.Contract
	if err := read(contract.ForOwner(&shownContracts, customer, 200)); err != nil || len(shownContracts) != 1 || shownContracts[0].GetContractId() != own {
		t.Errorf("contracts: %v, %v", shownContracts, err)
	}

	samples := make([]proto.Message, 6)
	for i := range samples {
		samples[i] = interactions.sample("screen", 2*i)
	}
	resolved := samples[0].(*crmv1.Interaction)
	resolved.ResolvedTime = resolved.GetDueTime()
	samples[1].(*crmv1.Interaction).Kind = crmv1.InteractionKind_INTERACTION_KIND_REQUEST
	ids := b.upsert(t, interactions, samples...)
	var shown []*crmv1.Interaction
	if err := read(interaction.LastForCustomer(&shown, customer, 3)); err != nil || len(shown) != 3 || shown[0].GetInteractionId() != ids[5] || shown[2].GetInteractionId() != ids[3] {
		t.Errorf("last interactions: %v, %v", shown, err)
	}
	var n int32
	if err := read(interaction.OpenComplaints(&n, customer)); err != nil || n != 4 {
		t.Errorf("%d open complaints, %v", n, err)
	}
	nobody := b.upsert(t, customers, customers.sample("screen", 9))[0]
	if err := read(account.ForCustomer(&held, untold, nobody, 200)); err != nil || len(held) != 0 {
		t.Errorf("a customer without accounts holds %v, %v", held, err)
	}
	if err := read(contract.ForOwner(&shownContracts, nobody, 200)); err != nil || len(shownContracts) != 0 {
		t.Errorf("a customer without accounts has contracts %v, %v", shownContracts, err)
	}
}

// untold is for those who do not care who holds an account.
func untold(int64, []int64) {}
