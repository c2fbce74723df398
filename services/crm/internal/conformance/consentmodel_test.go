package conformance

import (
	"math/rand/v2"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// said is one thing that a customer said: the model of consent is the list of all of them.
type said struct {
	channel crmv1.ConsentChannel
	minute  int
	yes     bool
	// until is the minute in which a yes ends; 0 when it has no end.
	until int
}

// mayContact answers from the list alone, by the rule as the contract words it: the newest word that is not expired, for
// this channel or for any, and of the same minute the no.
func mayContact(words []said, channel crmv1.ConsentChannel, minute int) bool {
	newest, yes := -1, false
	for _, w := range words {
		covers := w.channel == channel || w.channel == anyChannel
		over := w.yes && w.until != 0 && w.until <= minute
		if !covers || over || w.minute > minute || w.minute < newest {
			continue
		}
		yes = w.yes && (w.minute > newest || yes)
		newest = w.minute
	}
	return yes
}

// For random histories, told in any order by calls and by batches, every answer for every minute is the model's.
func TestCheckConsentAgainstModel(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	channels := []crmv1.ConsentChannel{anyChannel, sms, email}
	const histories, words, minutes = 25, 9, 12
	for history := range histories {
		random := rand.New(rand.NewPCG(7, uint64(history)))
		name := &crmv1.ExternalKey{Source: "model", ExternalId: key("", history).GetExternalId()}
		b.upsert(t, customers, &crmv1.Customer{Key: name, Party: &crmv1.Customer_Individual{Individual: &crmv1.Individual{GivenName: "Eva"}}})
		var model []said
		for n := range words {
			w := said{channel: channels[random.IntN(len(channels))], minute: random.IntN(minutes), yes: random.IntN(3) > 0}
			if w.yes && random.IntN(3) == 0 {
				w.until = w.minute + 1 + random.IntN(minutes/2)
			}
			model = append(model, w)
			b.tell(t, name, w, history*words+n, random.IntN(2) == 0)
		}
		for minute := range minutes + 1 {
			for _, channel := range channels {
				answer, err := b.consents().CheckConsent(t.Context(), &crmv1.CheckConsentRequest{
					CustomerKey: name, Purpose: "marketing", Channel: channel, At: at(minute),
				})
				if err != nil {
					t.Fatal(err)
				}
				if want := mayContact(model, channel, minute); answer.GetGranted() != want {
					t.Fatalf("history %d, %s in minute %d: %v, the model says %v of %+v", history, channel, minute, answer, want, model)
				}
			}
		}
	}
}

// tell records one word by a call of its own or as another system does it.
func (b *bank) tell(t *testing.T, customer *crmv1.ExternalKey, w said, n int, batch bool) {
	t.Helper()
	c := &crmv1.Consent{CustomerKey: customer, Purpose: "marketing", Channel: w.channel}
	if w.yes {
		c.GrantedTime = at(w.minute)
		if w.until != 0 {
			c.ExpiresTime = at(w.until)
		}
	} else {
		c.WithdrawnTime = at(w.minute)
	}
	var err error
	switch {
	case batch:
		c.Key = key("told", n)
		b.sent(t, consents, "", []proto.Message{c}, created)
	case w.yes:
		_, err = b.consents().GrantConsent(t.Context(), &crmv1.GrantConsentRequest{Consent: c})
	default:
		_, err = b.consents().WithdrawConsent(t.Context(), &crmv1.WithdrawConsentRequest{
			CustomerKey: customer, Purpose: "marketing", Channel: w.channel, WithdrawnTime: c.GetWithdrawnTime(),
		})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// exerciseConsent uses what only this room has, for the check of plans.
func (b *bank) exerciseConsent(t *testing.T, customerID int64) {
	t.Helper()
	ctx, room := t.Context(), b.consents()
	_, grantErr := room.GrantConsent(ctx, &crmv1.GrantConsentRequest{
		Consent: &crmv1.Consent{CustomerId: customerID, Purpose: "surveys", Channel: sms, ExpiresTime: timestamppb.New(at(0).AsTime().AddDate(9, 0, 0))},
	})
	_, checkErr := room.CheckConsent(ctx, &crmv1.CheckConsentRequest{CustomerId: customerID, Purpose: "marketing", Channel: sms})
	_, neverErr := room.CheckConsent(ctx, &crmv1.CheckConsentRequest{CustomerId: customerID, Purpose: "third_party_sharing", Channel: sms})
	_, withdrawErr := room.WithdrawConsent(ctx, &crmv1.WithdrawConsentRequest{CustomerId: customerID, Purpose: "surveys", Channel: anyChannel})
	_, listErr := room.ListConsents(ctx, &crmv1.ListConsentsRequest{CustomerId: customerID})
	for _, err := range []error{grantErr, checkErr, neverErr, withdrawErr, listErr} {
		if err != nil {
			t.Fatal(err)
		}
	}
}
