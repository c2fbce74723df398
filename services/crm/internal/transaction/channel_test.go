package transaction_test

import (
	"testing"

	"google.golang.org/grpc/codes"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

func byCard(id int64) func(*crmv1.Transaction) {
	return func(t *crmv1.Transaction) { t.CardId, t.Channel = id, crmv1.Channel_CHANNEL_TERMINAL }
}

// The card and the channel of a movement are kept, travel to analysis, and can be filtered by; a correction changes them.
func TestCardAndChannel(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if _, err := b.pool.Exec(t.Context(), "INSERT INTO card (source, external_id, state, customer_id, account_id) VALUES ('core', 'K1', 'active', 1, 1)"); err != nil {
		t.Fatal(err)
	}
	byKey := movement("b")
	byKey.CardKey = &crmv1.ExternalKey{Source: "core", ExternalId: "K1"}
	want(t, b.record(t, movement("a", byCard(1)), byKey, movement("c"), movement("d", byCard(9))), created, created, created, codes.NotFound)
	want(t, b.record(t, movement("a", byCard(1)), movement("a"), movement("c")), unchanged, codes.AlreadyExists, unchanged)
	states := b.published(t)
	if len(states) != 3 || states[0].GetCardId() != 1 || states[0].GetChannel() != "terminal" || states[1].GetCardId() != 1 || states[2].GetCardId() != 0 {
		t.Errorf("published %v", states)
	}
	got, err := b.ledger.Get(t.Context(), 0, &crmv1.ExternalKey{Source: "core", ExternalId: "a"})
	if err != nil || got.GetCardId() != 1 || got.GetChannel() != crmv1.Channel_CHANNEL_TERMINAL {
		t.Errorf("%v, %v", got, err)
	}
	want(t, b.record(t, movement("a", version(2))), updated)
	if got, err = b.ledger.Get(t.Context(), got.GetTransactionId(), nil); err != nil || got.GetCardId() != 0 || got.GetChannel() != 0 {
		t.Errorf("corrected %v, %v", got, err)
	}
	if states = b.published(t); states[3].GetCardId() != 0 || states[3].GetChannel() != "" {
		t.Errorf("published %v", states[3])
	}
}
