package conformance

import (
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

func (b *bank) idOf(t *testing.T, k kind, name string) int64 {
	t.Helper()
	m, err := b.getByKey(t.Context(), k, fixed(name))
	if err != nil {
		t.Fatal(err)
	}
	return k.id(m)
}

// A card names customer and account, or the holding that gives both.
func TestCardHolding(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.upsert(t, holders, &crmv1.AccountHolder{
		Key: fixed("other holder"), AccountKey: fixed("other account"), CustomerKey: fixed("other customer"), Role: crmv1.HolderRole_HOLDER_ROLE_OWNER,
	})
	card := func(n int, change func(*crmv1.Card)) proto.Message {
		c := &crmv1.Card{Key: key("holding", n), Scheme: "visa"}
		change(c)
		return c
	}
	results := b.sent(t, cards, "", []proto.Message{
		card(0, func(c *crmv1.Card) { c.AccountHolderKey = fixed("holder") }),
		card(1, func(c *crmv1.Card) { c.CustomerKey, c.AccountKey = fixed("customer"), fixed("account") }),
		card(2, func(c *crmv1.Card) {
			c.AccountHolderKey, c.CustomerKey, c.AccountKey = fixed("holder"), fixed("customer"), fixed("account")
		}),
		card(3, func(c *crmv1.Card) { c.AccountHolderKey, c.CustomerKey = fixed("holder"), fixed("other customer") }),
		card(4, func(c *crmv1.Card) { c.AccountHolderKey, c.AccountKey = fixed("holder"), fixed("other account") }),
		card(5, func(c *crmv1.Card) { c.CustomerKey = fixed("customer") }),
		card(6, func(*crmv1.Card) {}),
		card(7, func(c *crmv1.Card) { c.AccountHolderKey = fixed("nobody") }),
	}, created, created, created, rejected, rejected, rejected, rejected, rejected)
	refused("customer_id").checkRow(t, results[3])
	refused("account_id").checkRow(t, results[4])
	refused("account_id").checkRow(t, results[5])
	refused("customer_id").checkRow(t, results[6])
	refused("account_id").checkRow(t, results[6])
	refusal{codes.NotFound, apperr.ReasonReferenceNotFound, "account_holder_key"}.checkRow(t, results[7])

	customer, account := b.idOf(t, customers, "customer"), b.idOf(t, accounts, "account")
	for _, r := range results[:3] {
		m, err := b.get(t.Context(), cards, r.GetId())
		if err != nil {
			t.Fatal(err)
		}
		if c := m.(*crmv1.Card); c.GetCustomerId() != customer || c.GetAccountId() != account || c.GetState() != crmv1.CardState_CARD_STATE_ACTIVE {
			t.Errorf("stored as %v", c)
		}
		change := b.changes(t, cards, r.GetId())[0].GetCard()
		if change.GetCustomerId() != customer || change.GetAccountId() != account || change.GetState() != "active" {
			t.Errorf("the event says %v", change)
		}
	}
	b.keepsHolding(t, results[0].GetId())
}

// keepsHolding changes a card and looks at the holding behind it, which the API takes but does not show.
func (b *bank) keepsHolding(t *testing.T, id int64) {
	t.Helper()
	holding := func() (key *string) {
		err := b.pool.QueryRow(t.Context(), `SELECT h.external_id FROM card c LEFT JOIN account_holder h USING (account_holder_id) WHERE card_id = $1`, id).Scan(&key)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	update := func(c *crmv1.Card, mask ...string) *crmv1.Card {
		c.CardId = id
		m, err := b.update(t.Context(), cards, c, "", mask...)
		if err != nil {
			t.Fatal(err)
		}
		return m.(*crmv1.Card)
	}
	update(&crmv1.Card{Scheme: "gold"})
	if key := holding(); key == nil || *key != "holder" {
		t.Error("an update of something else lost the holding")
	}
	moved := update(&crmv1.Card{AccountHolderKey: fixed("other holder")}, "account_holder_key")
	if moved.GetCustomerId() != b.idOf(t, customers, "other customer") || moved.GetAccountId() != b.idOf(t, accounts, "other account") {
		t.Errorf("after a move to another holding: %v", moved)
	}
	update(&crmv1.Card{AccountKey: fixed("account")}, "account_key")
	if key := holding(); key != nil {
		t.Errorf("the card is on another account and still has the holding %s", *key)
	}
}

func TestCardLife(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	const (
		issued  = crmv1.CardState_CARD_STATE_ISSUED
		active  = crmv1.CardState_CARD_STATE_ACTIVE
		blocked = crmv1.CardState_CARD_STATE_BLOCKED
		closed  = crmv1.CardState_CARD_STATE_CLOSED
	)
	allowed := map[[2]crmv1.CardState]bool{
		{issued, active}: true, {issued, closed}: true, {active, blocked}: true, {blocked, active}: true,
		{active, closed}: true, {blocked, closed}: true,
	}
	states := []crmv1.CardState{issued, active, blocked, closed}
	n := 0
	for _, from := range states {
		for _, to := range states {
			n++
			c := cards.sample("life", n).(*crmv1.Card)
			c.State = from
			id := b.upsert(t, cards, c)[0]
			_, err := b.update(t.Context(), cards, &crmv1.Card{CardId: id, State: to}, "", "state")
			if taken := from == to || allowed[[2]crmv1.CardState{from, to}]; taken && err != nil {
				t.Errorf("%s to %s: %v", from, to, err)
			} else if !taken {
				refusal{codes.FailedPrecondition, apperr.ReasonWrongTransition, "card.state"}.check(t, err)
			}
		}
	}
}

func TestCardFields(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	card := func(n int, change func(*crmv1.Card)) proto.Message {
		c := cards.sample("fields", n).(*crmv1.Card)
		change(c)
		return c
	}
	results := b.sent(t, cards, "", []proto.Message{
		card(0, func(c *crmv1.Card) { c.Expiry = day(2028, 4, 30) }),
		card(1, func(c *crmv1.Card) { c.Issued, c.Expiry = day(2028, 5, 1), day(2028, 4, 1) }),
		card(2, func(c *crmv1.Card) { c.Issued, c.Expiry = day(2028, 4, 30), day(2028, 4, 1) }),
		card(3, func(c *crmv1.Card) { c.Last4 = "12345" }),
		card(4, func(c *crmv1.Card) { c.Token = "4111111111111111" }),
	}, rejected, rejected, created, rejected, rejected)
	for i, field := range map[int]string{0: "expiry", 1: "expiry", 3: "last4", 4: "token"} {
		refused(field).checkRow(t, results[i])
	}
}
