package audit_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	datepb "google.golang.org/genproto/googleapis/type/date"
	"google.golang.org/protobuf/types/known/timestamppb"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// A withdrawal tells, for each grant that it ends, what the grant was before; a withdrawal of its own is a new record.
func TestConsentEntries(t *testing.T) {
	t.Parallel()
	b := newBank(t, 100)
	id := b.create(t, "Eva").GetCustomerId()
	granted := timestamppb.New(time.Date(2024, 3, 1, 9, 0, 0, 0, time.UTC))
	for _, channel := range []crmv1.ConsentChannel{crmv1.ConsentChannel_CONSENT_CHANNEL_SMS, crmv1.ConsentChannel_CONSENT_CHANNEL_EMAIL} {
		grant := &crmv1.Consent{CustomerId: id, Purpose: "marketing", Channel: channel, GrantedTime: granted}
		if _, err := b.consents.GrantConsent(b.as(t, "eva"), &crmv1.GrantConsentRequest{Consent: grant}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.consents.WithdrawConsent(b.as(t, "jan"), &crmv1.WithdrawConsentRequest{
		CustomerId: id, Purpose: "marketing", Channel: crmv1.ConsentChannel_CONSENT_CHANNEL_ANY, WithdrawalReason: "too many",
		WithdrawnTime: timestamppb.New(granted.AsTime().AddDate(0, 1, 0)), WithdrawnHow: crmv1.ConsentMethod_CONSENT_METHOD_CALL,
	}); err != nil {
		t.Fatal(err)
	}
	const ended = `"withdrawn_at":"2024-04-01T09:00:00Z","withdrawn_how":"call","withdrawal_reason":"too many"}`
	want := make([]string, 0, 5)
	for i, channel := range []string{"sms", "email"} {
		want = append(want, fmt.Sprintf(`eva create consent %d v1 []  {"customer_id":1,"purpose":"marketing","channel":%q,"granted_at":"2024-03-01T09:00:00Z"}`, i+1, channel))
	}
	for i := range 2 {
		want = append(want, fmt.Sprintf(`jan update consent %d v2 [] {"withdrawn_at":null,"withdrawn_how":"","withdrawal_reason":""} {`, i+1)+ended)
	}
	want = append(want, `jan create consent 3 v1 []  {"customer_id":1,"purpose":"marketing","channel":"any",`+ended)
	if diff := cmp.Diff(want, briefs(b.list(t, &crmv1.ListAuditEntriesRequest{CustomerId: id, Filter: `entity = "consent"`}))); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

// A relation tells how it began and how it ended, to both sides.
func TestRelationEntries(t *testing.T) {
	t.Parallel()
	b := newBank(t, 100)
	id, other := b.create(t, "Eva").GetCustomerId(), b.create(t, "Jan").GetCustomerId()
	created, err := b.relations.CreateRelation(b.as(t, "eva"), &crmv1.CreateRelationRequest{Relation: &crmv1.Relation{
		CustomerId: id, OtherCustomerId: other, Type: crmv1.RelationType_RELATION_TYPE_SPOUSE, ValidFrom: &datepb.Date{Year: 2001, Month: 2, Day: 3},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.relations.EndRelation(b.as(t, "jan"), &crmv1.EndRelationRequest{
		RelationId: created.GetRelation().GetRelationId(), Etag: created.GetRelation().GetEtag(),
		EndDate: &datepb.Date{Year: 2020, Month: 5, Day: 6}, Reason: "divorce",
	}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		`eva create relation 1 v1 [2]  {"customer_id":1,"type":"spouse","other_customer_id":2,"valid_from":"2001-02-03","formality":"formal"}`,
		`jan update relation 1 v2 [2] {"valid_to":null,"end_reason":""} {"valid_to":"2020-05-06","end_reason":"divorce"}`,
	}
	got := briefs(b.list(t, &crmv1.ListAuditEntriesRequest{CustomerId: id, Filter: `entity = "relation"`}))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}
