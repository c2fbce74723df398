package conformance

import (
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/consent"
)

const (
	anyChannel = crmv1.ConsentChannel_CONSENT_CHANNEL_ANY
	sms        = crmv1.ConsentChannel_CONSENT_CHANNEL_SMS
	email      = crmv1.ConsentChannel_CONSENT_CHANNEL_EMAIL

	none      = crmv1.ConsentBasis_CONSENT_BASIS_NONE
	granted   = crmv1.ConsentBasis_CONSENT_BASIS_GRANTED
	withdrawn = crmv1.ConsentBasis_CONSENT_BASIS_WITHDRAWN
	expired   = crmv1.ConsentBasis_CONSENT_BASIS_EXPIRED
)

func (b *bank) consents() crmv1.ConsentServiceClient { return crmv1.NewConsentServiceClient(b.conn) }

// grant records a grant of the fixture's customer for marketing; nil times are left out.
func (b *bank) grant(t *testing.T, channel crmv1.ConsentChannel, from, expires *timestamppb.Timestamp) *crmv1.Consent {
	t.Helper()
	answer, err := b.consents().GrantConsent(t.Context(), &crmv1.GrantConsentRequest{Consent: &crmv1.Consent{
		CustomerKey: fixed("customer"), Purpose: "marketing", Channel: channel, GrantedTime: from, ExpiresTime: expires,
	}})
	if err != nil {
		t.Fatal(err)
	}
	return answer.GetConsent()
}

// withdraw records a withdrawal of the fixture's customer for marketing.
func (b *bank) withdraw(t *testing.T, channel crmv1.ConsentChannel, at *timestamppb.Timestamp) []*crmv1.Consent {
	t.Helper()
	answer, err := b.consents().WithdrawConsent(t.Context(), &crmv1.WithdrawConsentRequest{
		CustomerKey: fixed("customer"), Purpose: "marketing", Channel: channel, WithdrawnTime: at,
		WithdrawnHow: crmv1.ConsentMethod_CONSENT_METHOD_CALL, WithdrawalReason: "Enough.", WithdrawalProof: "recording 7",
	})
	if err != nil {
		t.Fatal(err)
	}
	return answer.GetConsents()
}

// check asks about marketing to the fixture's customer.
func (b *bank) check(t *testing.T, channel crmv1.ConsentChannel, at *timestamppb.Timestamp) *crmv1.CheckConsentResponse {
	t.Helper()
	answer, err := b.consents().CheckConsent(t.Context(), &crmv1.CheckConsentRequest{
		CustomerKey: fixed("customer"), Purpose: "marketing", Channel: channel, At: at,
	})
	if err != nil {
		t.Fatal(err)
	}
	if answer.GetGranted() != (answer.GetBasis() == granted) || (answer.GetConsent() == nil) != (answer.GetBasis() == none) {
		t.Errorf("an answer contradicts itself: %v", answer)
	}
	return answer
}

// wantBasis checks what an answer rests on, and by which record; an id of 0 is none.
func (b *bank) wantBasis(t *testing.T, channel crmv1.ConsentChannel, at *timestamppb.Timestamp, basis crmv1.ConsentBasis, id int64) {
	t.Helper()
	answer := b.check(t, channel, at)
	if answer.GetBasis() != basis || answer.GetConsent().GetConsentId() != id {
		t.Errorf("%s at %s: %s by %d, want %s by %d", channel, at.AsTime(), answer.GetBasis(), answer.GetConsent().GetConsentId(), basis, id)
	}
	if at != nil && !answer.GetAt().AsTime().Equal(at.AsTime()) {
		t.Errorf("asked for %s, answered for %s", at.AsTime(), answer.GetAt().AsTime())
	}
}

// A grant for any channel, a later no for one channel, a yes for it again, and a no to everything: every time before
// keeps the answer that it had.
func TestCheckConsentThroughTime(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.wantBasis(t, sms, nil, none, 0)
	all := b.grant(t, anyChannel, at(10), nil).GetConsentId()
	noSMS := b.withdraw(t, sms, at(20))
	if len(noSMS) != 1 || noSMS[0].GetGrantedTime() != nil || noSMS[0].GetWithdrawalProof() != "recording 7" {
		t.Fatalf("a withdrawal without a grant for the channel: %v", noSMS)
	}
	again := b.grant(t, sms, at(30), at(50)).GetConsentId()
	end := b.withdraw(t, anyChannel, at(40))
	if len(end) != 2 || end[0].GetConsentId() != all || end[1].GetConsentId() != again || end[0].GetWithdrawnTime().AsTime() != at(40).AsTime() {
		t.Fatalf("the grants that a withdrawal for any channel ends: %v", end)
	}
	b.wantVersions(t, consents, all, 2)
	for _, want := range []struct {
		channel crmv1.ConsentChannel
		minute  int
		basis   crmv1.ConsentBasis
		id      int64
	}{
		{sms, 9, none, 0},
		{sms, 10, granted, all},
		{sms, 19, granted, all},
		{sms, 20, withdrawn, noSMS[0].GetConsentId()},
		{email, 20, granted, all},
		{anyChannel, 20, granted, all},
		{sms, 30, granted, again},
		{sms, 39, granted, again},
		{sms, 40, withdrawn, again},
		{email, 40, withdrawn, all},
		{anyChannel, 100, withdrawn, all},
	} {
		b.wantBasis(t, want.channel, at(want.minute), want.basis, want.id)
	}
	b.wantBasis(t, sms, nil, withdrawn, again)
	other, err := b.consents().CheckConsent(t.Context(), &crmv1.CheckConsentRequest{
		CustomerKey: fixed("customer"), Purpose: "profiling", Channel: anyChannel, At: at(10),
	})
	if err != nil || other.GetGranted() {
		t.Errorf("a consent for marketing answers for profiling: %v, %v", other, err)
	}
}

// An expired grant decides nothing: what was decided before it counts again, and alone it is named as the reason.
func TestConsentExpires(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	first := b.grant(t, sms, at(10), at(20)).GetConsentId()
	b.wantBasis(t, sms, at(19), granted, first)
	b.wantBasis(t, sms, at(20), expired, first)
	b.wantBasis(t, email, at(20), none, 0)
	all := b.grant(t, anyChannel, at(15), nil).GetConsentId()
	b.wantBasis(t, sms, at(17), granted, all)
	b.grant(t, sms, at(16), at(20))
	b.wantBasis(t, sms, at(20), granted, all)
	// A withdrawal at a past time, after which nothing else was decided.
	b.withdraw(t, sms, at(18))
	b.wantBasis(t, email, at(30), granted, all)
	if b.check(t, sms, at(30)).GetGranted() {
		t.Error("the withdrawal is forgotten when the grant that carries it would have expired")
	}
	// Of two decisions of the same moment the withdrawal counts.
	b.grant(t, sms, at(40), nil)
	b.withdraw(t, anyChannel, at(40))
	b.wantBasis(t, anyChannel, at(40), withdrawn, all)
	if b.check(t, sms, at(40)).GetGranted() {
		t.Error("a grant counts before the withdrawal of the same moment")
	}
}

// A withdrawal for any channel ends the grants of each, and is there by itself for grants that become known later.
func TestWithdrawEverything(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	mail := b.grant(t, email, at(10), nil).GetConsentId()
	ended := b.withdraw(t, anyChannel, at(20))
	if len(ended) != 2 || ended[0].GetConsentId() != mail || ended[1].GetChannel() != anyChannel || ended[1].GetGrantedTime() != nil {
		t.Fatalf("the withdrawal stands in %v", ended)
	}
	b.upsert(t, consents, &crmv1.Consent{Key: key("late", 1), CustomerKey: fixed("customer"), Purpose: "marketing", Channel: sms, GrantedTime: at(15)})
	b.wantBasis(t, email, at(20), withdrawn, mail)
	b.wantBasis(t, sms, at(20), withdrawn, ended[1].GetConsentId())
	if !b.check(t, sms, at(19)).GetGranted() {
		t.Error("before the withdrawal the late grant counts")
	}
}

// Decisions without a time get the database's, and a repeated call changes nothing.
func TestConsentRequestID(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	grant := &crmv1.GrantConsentRequest{RequestId: uuid.NewString(), Consent: &crmv1.Consent{
		CustomerKey: fixed("customer"), Purpose: "marketing", Channel: sms, TextVersion: "1", Proof: "form 1", Key: key("request", 1),
	}}
	first, err := b.consents().GrantConsent(t.Context(), grant)
	if err != nil {
		t.Fatal(err)
	}
	if age := time.Since(first.GetConsent().GetGrantedTime().AsTime()); age < -time.Minute || age > time.Minute {
		t.Errorf("granted %s ago", age)
	}
	again, err := b.consents().GrantConsent(t.Context(), grant)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "the repeated grant has another answer", first, again)
	id := first.GetConsent().GetConsentId()
	b.wantBasis(t, sms, nil, granted, id)

	withdrawal := &crmv1.WithdrawConsentRequest{RequestId: uuid.NewString(), CustomerKey: fixed("customer"), Purpose: "marketing", Channel: sms}
	ended, err := b.consents().WithdrawConsent(t.Context(), withdrawal)
	if err != nil {
		t.Fatal(err)
	}
	endedAgain, err := b.consents().WithdrawConsent(t.Context(), withdrawal)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "the repeated withdrawal has another answer", ended, endedAgain)
	b.wantBasis(t, sms, nil, withdrawn, id)
	b.wantVersions(t, consents, id, 2)

	// The source still sends the grant as it was, under its key: the withdrawal stays. A later withdrawal does not move it.
	sent := proto.CloneOf(first.GetConsent())
	sent.ConsentId, sent.TextVersion = 0, "2"
	b.sent(t, consents, "", []proto.Message{sent}, updated)
	b.wantBasis(t, sms, nil, withdrawn, id)
	late := proto.CloneOf(sent)
	late.WithdrawnTime = timestamppb.New(time.Now().Add(time.Minute))
	b.sent(t, consents, "", []proto.Message{late}, updated)
	b.wantBasis(t, sms, nil, withdrawn, id)

	withdrawal.Channel = email
	_, err = b.consents().WithdrawConsent(t.Context(), withdrawal)
	refusal{code: codes.AlreadyExists, reason: apperr.ReasonRequestIDReused}.check(t, err)
	_, err = b.consents().GrantConsent(t.Context(), &crmv1.GrantConsentRequest{Consent: grant.GetConsent()})
	refusal{codes.AlreadyExists, apperr.ReasonDuplicate, "consent.key"}.check(t, err)
}

func TestConsentFields(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	row := func(n int, change func(*crmv1.Consent)) proto.Message {
		c := &crmv1.Consent{Key: key("fields", n), CustomerKey: fixed("customer"), Purpose: "surveys", Channel: email, GrantedTime: at(10)}
		change(c)
		return c
	}
	future := timestamppb.New(time.Now().Add(time.Hour))
	results := b.sent(t, consents, "", []proto.Message{
		row(0, func(*crmv1.Consent) {}),
		row(1, func(c *crmv1.Consent) { c.GrantedTime, c.WithdrawnTime = nil, at(10) }),
		row(2, func(c *crmv1.Consent) { c.GrantedTime = nil }),
		row(3, func(c *crmv1.Consent) { c.Purpose = "Direct marketing" }),
		row(4, func(c *crmv1.Consent) { c.Channel = 0 }),
		row(5, func(c *crmv1.Consent) { c.GrantedTime = future }),
		row(6, func(c *crmv1.Consent) { c.ExpiresTime = at(10) }),
		row(7, func(c *crmv1.Consent) { c.WithdrawnTime = at(9) }),
		row(8, func(c *crmv1.Consent) { c.WithdrawalReason = "no" }),
		row(9, func(c *crmv1.Consent) { c.GrantedTime, c.WithdrawnTime, c.TextVersion = nil, at(10), "1" }),
		row(10, func(c *crmv1.Consent) { c.CustomerKey = nil }),
		row(11, func(c *crmv1.Consent) { c.ExpiresTime = &timestamppb.Timestamp{Seconds: 253402300799} }),
	}, created, created, rejected, rejected, rejected, rejected, rejected, rejected, rejected, rejected, rejected, rejected)
	for i, field := range map[int]string{
		2: "granted_time", 3: "purpose", 4: "channel", 5: "granted_time", 6: "expires_time", 7: "withdrawn_time",
		8: "withdrawal_reason", 9: "text_version", 10: "customer_id", 11: "expires_time",
	} {
		refused(field).checkRow(t, results[i])
	}
	// What a consent is can't change.
	results = b.sent(t, consents, "", []proto.Message{
		row(0, func(c *crmv1.Consent) { c.CustomerKey = fixed("other customer") }),
		row(1, func(*crmv1.Consent) {}),
	}, rejected, rejected)
	refused("customer_id").checkRow(t, results[0])
	refused("granted_time").checkRow(t, results[1])
	results = b.sent(t, consents, "", []proto.Message{
		row(0, func(c *crmv1.Consent) { c.Channel = sms }),
		row(1, func(c *crmv1.Consent) { c.GrantedTime, c.WithdrawnTime, c.Purpose = nil, at(10), "profiling" }),
	}, rejected, rejected)
	refused("channel").checkRow(t, results[0])
	refused("purpose").checkRow(t, results[1])
}

func TestConsentCallsRefused(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	ctx, room := t.Context(), b.consents()
	grant := func(change func(*crmv1.Consent)) error {
		c := &crmv1.Consent{CustomerKey: fixed("customer"), Purpose: "marketing", Channel: sms}
		change(c)
		_, err := room.GrantConsent(ctx, &crmv1.GrantConsentRequest{Consent: c})
		return err
	}
	lost := refusal{codes.NotFound, apperr.ReasonReferenceNotFound, "customer_key"}
	refused("consent.withdrawn_time").check(t, grant(func(c *crmv1.Consent) { c.WithdrawnTime = at(1) }))
	refused("consent.customer_id").check(t, grant(func(c *crmv1.Consent) { c.CustomerKey = nil }))
	refused("consent.proof").check(t, grant(func(c *crmv1.Consent) { c.Proof = "card 4111 1111 1111 1111" }))
	refusal{codes.NotFound, apperr.ReasonReferenceNotFound, "consent.customer_key"}.check(t, grant(func(c *crmv1.Consent) { c.CustomerKey = fixed("nobody") }))

	_, err := room.WithdrawConsent(ctx, &crmv1.WithdrawConsentRequest{CustomerKey: fixed("nobody"), Purpose: "marketing", Channel: sms})
	lost.check(t, err)
	_, err = room.WithdrawConsent(ctx, &crmv1.WithdrawConsentRequest{Purpose: "marketing", Channel: sms})
	refused("customer_id").check(t, err)
	_, err = room.WithdrawConsent(ctx, &crmv1.WithdrawConsentRequest{
		CustomerKey: fixed("customer"), Purpose: "marketing", Channel: sms, WithdrawnTime: timestamppb.New(time.Now().Add(time.Hour)),
	})
	refused("withdrawn_time").check(t, err)
	_, err = room.WithdrawConsent(ctx, &crmv1.WithdrawConsentRequest{CustomerKey: fixed("customer"), Purpose: "marketing"})
	refused("channel").check(t, err)
	_, err = room.CheckConsent(ctx, &crmv1.CheckConsentRequest{CustomerKey: fixed("nobody"), Purpose: "marketing", Channel: sms})
	lost.check(t, err)
	_, err = room.CheckConsent(ctx, &crmv1.CheckConsentRequest{CustomerKey: fixed("customer"), Channel: sms})
	refused("purpose").check(t, err)
}

// What stands on a customer's screen: grants that decide for some channel, and the channels taken out of them.
func TestConsentsInForce(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	customer := b.idOf(t, customers, "customer")
	b.grant(t, email, at(5), nil) // overruled by the one for any channel
	all := b.grant(t, anyChannel, at(10), nil).GetConsentId()
	b.withdraw(t, crmv1.ConsentChannel_CONSENT_CHANNEL_PHONE, at(20))
	b.withdraw(t, sms, at(20))
	post := b.grant(t, crmv1.ConsentChannel_CONSENT_CHANNEL_POST, at(30), nil).GetConsentId()
	b.grant(t, crmv1.ConsentChannel_CONSENT_CHANNEL_WEB, at(30), at(40))
	standing, changed, err := consent.InForce(t.Context(), b.pool, customer, 200)
	if err != nil || changed.IsZero() {
		t.Fatal(changed, err)
	}
	except := []crmv1.ConsentChannel{crmv1.ConsentChannel_CONSENT_CHANNEL_PHONE, sms}
	if len(standing) != 2 || standing[0].GetConsent().GetConsentId() != all || standing[1].GetConsent().GetConsentId() != post ||
		len(standing[0].GetExceptChannels()) != 2 || standing[0].GetExceptChannels()[0] != except[0] || standing[0].GetExceptChannels()[1] != except[1] {
		t.Errorf("in force: %v", standing)
	}
	b.withdraw(t, anyChannel, nil)
	if standing, _, err = consent.InForce(t.Context(), b.pool, customer, 200); err != nil || len(standing) != 0 {
		t.Errorf("after a withdrawal of everything: %v, %v", standing, err)
	}
	// The list of one customer holds what is over, too.
	mine, err := b.consents().ListConsents(t.Context(), &crmv1.ListConsentsRequest{CustomerId: customer, Filter: "channel = any"})
	if err != nil || len(mine.GetConsents()) != 1 || mine.GetConsents()[0].GetWithdrawnTime() == nil {
		t.Errorf("a customer's consents: %v, %v", mine, err)
	}
	others, err := b.consents().ListConsents(t.Context(), &crmv1.ListConsentsRequest{CustomerId: customer + 1})
	if err != nil || len(others.GetConsents()) != 0 {
		t.Errorf("another customer's consents: %v, %v", others, err)
	}
}

// Grants and withdrawals of one customer at once: each call is one decision, their times follow the order in which they
// were done, and the answer is that of the last one.
func TestConsentTogether(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	const callers, rounds = 4, 10
	var done sync.WaitGroup
	for caller := range callers {
		done.Go(func() {
			for range rounds {
				var err error
				if caller%2 == 0 {
					_, err = b.consents().GrantConsent(t.Context(), &crmv1.GrantConsentRequest{
						Consent: &crmv1.Consent{CustomerKey: fixed("customer"), Purpose: "marketing", Channel: sms},
					})
				} else {
					_, err = b.consents().WithdrawConsent(t.Context(), &crmv1.WithdrawConsentRequest{
						CustomerKey: fixed("customer"), Purpose: "marketing", Channel: sms,
					})
				}
				if err != nil {
					t.Errorf("caller %d: %v", caller, err)
					return
				}
			}
		})
	}
	done.Wait()
	answer, err := b.consents().ListConsents(t.Context(), &crmv1.ListConsentsRequest{PageSize: 1000})
	if err != nil {
		t.Fatal(err)
	}
	grants, last, wantGranted := 0, time.Time{}, false
	for _, c := range answer.GetConsents() {
		if c.GetGrantedTime() != nil {
			grants++
			if c.GetGrantedTime().AsTime().After(last) {
				last, wantGranted = c.GetGrantedTime().AsTime(), true
			}
		}
		if c.GetWithdrawnTime() != nil && !c.GetWithdrawnTime().AsTime().Before(last) {
			last, wantGranted = c.GetWithdrawnTime().AsTime(), false
		}
		versions := 1
		if c.GetGrantedTime() != nil && c.GetWithdrawnTime() != nil {
			versions = 2
		}
		b.wantVersions(t, consents, c.GetConsentId(), versions)
	}
	if grants != rounds*callers/2 {
		t.Errorf("%d grants are stored", grants)
	}
	if got := b.check(t, sms, nil); got.GetGranted() != wantGranted {
		t.Errorf("the answer is %v, the last decision says %v", got, wantGranted)
	}
}
