package conformance

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
)

const (
	spouse        = crmv1.RelationType_RELATION_TYPE_SPOUSE
	child         = crmv1.RelationType_RELATION_TYPE_CHILD
	employer      = crmv1.RelationType_RELATION_TYPE_EMPLOYER
	shareholder   = crmv1.RelationType_RELATION_TYPE_SHAREHOLDER
	parentCompany = crmv1.RelationType_RELATION_TYPE_PARENT_COMPANY
	contactPerson = crmv1.RelationType_RELATION_TYPE_CONTACT_PERSON
)

// family adds the parties of the tests below: persons p1…, companies o1…; it returns their numbers by name.
func (b *bank) family(t *testing.T, persons, companies int) map[string]int64 {
	t.Helper()
	ids := map[string]int64{}
	add := func(prefix string, n int, party func(*crmv1.Customer)) {
		records, names := make([]proto.Message, n), make([]string, n)
		for i := range records {
			names[i] = prefix + string(rune('a'+i))
			c := &crmv1.Customer{Key: fixed(names[i])}
			party(c)
			records[i] = c
		}
		for i, id := range b.upsert(t, customers, records...) {
			ids[names[i]] = id
		}
	}
	add("p", persons, func(c *crmv1.Customer) {
		c.Party = &crmv1.Customer_Individual{Individual: &crmv1.Individual{GivenName: "Ota", FamilyName: c.GetKey().GetExternalId(), BirthDate: day(1970, 1, 1)}}
	})
	if companies > 0 {
		add("o", companies, func(c *crmv1.Customer) {
			c.Party = &crmv1.Customer_Organisation{Organisation: &crmv1.Organisation{LegalName: c.GetKey().GetExternalId() + " s.r.o."}}
		})
	}
	return ids
}

// related makes a relation between fixtures: other is the <type> of customer.
func related(n int, customer string, relationType crmv1.RelationType, other string) *crmv1.Relation {
	return &crmv1.Relation{Key: key("related", n), CustomerKey: fixed(customer), Type: relationType, OtherCustomerKey: fixed(other)}
}

func TestRelationFields(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.family(t, 2, 2)
	with := func(r *crmv1.Relation, change func(*crmv1.Relation)) proto.Message {
		change(r)
		return r
	}
	type row struct {
		field  string // that must be named; empty for a row that must be taken
		record proto.Message
	}
	rows := []row{
		{"", with(related(0, "oa", shareholder, "pa"), func(r *crmv1.Relation) { r.Share, r.Weight = "0.12345678", "1.0" })},
		{"share", with(related(1, "oa", shareholder, "pb"), func(r *crmv1.Relation) { r.Share = "1.5" })},
		{"share", with(related(2, "pa", spouse, "pb"), func(r *crmv1.Relation) { r.Share = "0.5" })},
		{"weight", with(related(3, "pa", spouse, "pb"), func(r *crmv1.Relation) { r.Weight = "-0.5" })},
		{"", with(related(4, "oa", contactPerson, "pa"), func(r *crmv1.Relation) {
			r.Position, r.DecisionPower = "CFO", crmv1.DecisionPower_DECISION_POWER_CO_DECIDES
		})},
		{"decision_power", with(related(5, "pa", employer, "oa"), func(r *crmv1.Relation) { r.DecisionPower = crmv1.DecisionPower_DECISION_POWER_NONE })},
		{"position", with(related(6, "pa", spouse, "pb"), func(r *crmv1.Relation) { r.Position = "CFO" })},
		{"valid_to", with(related(7, "pa", spouse, "pb"), func(r *crmv1.Relation) { r.ValidFrom, r.ValidTo = day(2020, 1, 2), day(2020, 1, 1) })},
		{"end_reason", with(related(8, "pa", spouse, "pb"), func(r *crmv1.Relation) { r.EndReason = "divorced" })},
		{"other_customer_id", with(related(9, "pa", child, "pb"), func(r *crmv1.Relation) { r.OtherCustomerKey = nil })},
		{"other_name", with(related(10, "pa", child, "pb"), func(r *crmv1.Relation) { r.OtherName = "Adam" })},
		{"other_birth_date", with(related(11, "pa", child, "pb"), func(r *crmv1.Relation) { r.OtherBirthDate = day(2019, 8, 7) })},
		{"other_birth_date", with(related(12, "oa", parentCompany, "ob"), func(r *crmv1.Relation) {
			r.OtherCustomerKey, r.OtherName, r.OtherBirthDate = nil, "Holding", day(2019, 8, 7)
		})},
		{"other_customer_id", related(13, "pa", spouse, "pa")},
		{"other_customer_id", related(14, "pa", spouse, "oa")},
		{"customer_id", related(15, "pa", shareholder, "oa")},
		{"customer_id", related(16, "oa", child, "pa")},
		{"other_customer_id", related(17, "oa", parentCompany, "pa")},
		{"type", related(18, "oa", 0, "pa")},
		{"type", related(19, "oa", 99, "pa")},
		{"customer_id", with(related(20, "pa", spouse, "pb"), func(r *crmv1.Relation) { r.CustomerKey = nil })},
	}
	records, want := make([]proto.Message, len(rows)), make([]crmv1.UpsertOutcome, len(rows))
	for i, r := range rows {
		records[i], want[i] = r.record, created
		if r.field != "" {
			want[i] = rejected
		}
	}
	results := b.sent(t, relations, "", records, want...)
	for i, r := range rows {
		if r.field != "" {
			refused(r.field).checkRow(t, results[i])
		}
	}
	event := b.changes(t, relations, results[0].GetId())[0]
	if got := event.GetRelation(); got.GetShare() != "0.12345678" || got.GetWeight() != "1" || got.GetType() != "shareholder" || got.GetFormality() != "formal" {
		t.Errorf("the event says %v", got)
	}
	named := b.upsert(t, relations, relations.sample("event", 1))[0]
	if text := b.changes(t, relations, named)[0].String(); strings.Contains(text, "Adam") || strings.Contains(text, "school") || strings.Contains(text, "2019-08-06") {
		t.Errorf("the event tells personal fields: %s", text)
	}
}

// Of each type, two parties are related once at a time; read from the other side it is the same only if it is symmetric.
func TestRelationDuplicates(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.family(t, 2, 2)
	taken := refusal{codes.AlreadyExists, apperr.ReasonDuplicate, "other_customer_id"}
	symmetric := []string{"spouse", "sibling", "relative", "acquaintance", "business_partner"}
	for i, name := range record.EnumTexts[crmv1.RelationType]() {
		relationType := record.EnumValue[crmv1.RelationType](name)
		customer, other := "pa", "pb"
		if r := b.try(t, related(-1, customer, relationType, other)); r.GetError() != nil { // not for two persons
			customer, other = "oa", "pb"
			if r := b.try(t, related(-1, customer, relationType, other)); r.GetError() != nil {
				other = "ob"
			}
		}
		at := func(n int, from, to int32) *crmv1.Relation {
			r := related(100*i+n, customer, relationType, other)
			r.ValidFrom, r.ValidTo = day(from, 1, 1), day(to, 1, 1)
			return r
		}
		b.sent(t, relations, "", []proto.Message{at(1, 2001, 2005)}, created)
		results := b.sent(t, relations, "", []proto.Message{at(2, 2005, 2008), at(3, 2006, 2009)}, rejected, created)
		taken.checkRow(t, results[0])
		if slices.Contains(symmetric, name) {
			inverse := at(4, 2000, 2001)
			inverse.CustomerKey, inverse.OtherCustomerKey = fixed(other), fixed(customer)
			taken.checkRow(t, b.sent(t, relations, "", []proto.Message{inverse}, rejected)[0])
		}
	}
	// Mutual guarantees are two relations.
	b.sent(t, relations, "", []proto.Message{
		related(9001, "oa", crmv1.RelationType_RELATION_TYPE_GUARANTOR, "ob"), related(9002, "ob", crmv1.RelationType_RELATION_TYPE_GUARANTOR, "oa"),
	}, created, created)
	twin := relations.sample("twins", 1).(*crmv1.Relation)
	again := proto.CloneOf(twin)
	again.Key, again.OtherName = key("twins", 2), strings.ToUpper(twin.GetOtherName())
	results := b.sent(t, relations, "", []proto.Message{twin, again}, created, rejected)
	refusal{codes.AlreadyExists, apperr.ReasonDuplicate, "other_name"}.checkRow(t, results[1])
	// One batch ends a time and begins the next, in any order.
	next := proto.CloneOf(again)
	next.ValidFrom = day(2024, 1, 1)
	ended := proto.CloneOf(twin)
	ended.ValidTo = day(2023, 12, 31)
	b.sent(t, relations, "", []proto.Message{next, ended}, created, updated)
}

// try checks one row without writing it.
func (b *bank) try(t *testing.T, r *crmv1.Relation) *crmv1.UpsertResult {
	t.Helper()
	results, err := b.batch(t.Context(), relations, []proto.Message{r}, "", true)
	if err != nil {
		t.Fatal(err)
	}
	return results[0]
}

// Nobody descends from themselves, whatever the dates; no company controls itself on one day; shareholders may.
func TestRelationCircles(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.family(t, 4, 4)
	circle := refusal{codes.FailedPrecondition, apperr.ReasonFailedPrecondition, "other_customer_id"}
	during := func(r *crmv1.Relation, from, to int32) *crmv1.Relation {
		r.ValidFrom, r.ValidTo = day(from, 1, 1), day(to, 12, 31)
		return r
	}
	b.sent(t, relations, "", []proto.Message{related(1, "pa", child, "pb"), related(2, "pb", child, "pc"), related(3, "pc", child, "pd")}, created, created, created)
	results := b.sent(t, relations, "", []proto.Message{
		during(related(4, "pd", child, "pa"), 1900, 1901), related(5, "pb", child, "pa"), related(6, "pa", child, "pc"),
	}, rejected, rejected, created)
	circle.checkRow(t, results[0])
	circle.checkRow(t, results[1])
	// Within one batch the row that closes the circle is the one refused.
	results = b.sent(t, relations, "", []proto.Message{
		during(related(11, "oa", parentCompany, "ob"), 2001, 2010), during(related(12, "ob", parentCompany, "oc"), 2005, 2020),
		during(related(13, "oc", parentCompany, "oa"), 2010, 2015), during(related(14, "oc", parentCompany, "oa"), 2011, 2015),
		related(15, "od", parentCompany, "oa"),
	}, created, created, rejected, created, created)
	circle.checkRow(t, results[2])
	// A change of dates may close one too; changes of anything else are free.
	_, err := b.update(t.Context(), relations, &crmv1.Relation{RelationId: results[3].GetId(), ValidFrom: day(2010, 6, 1)}, "")
	circleOf := circle
	circleOf.field = "relation.other_customer_id"
	circleOf.check(t, err)
	if _, err := b.update(t.Context(), relations, &crmv1.Relation{RelationId: results[3].GetId(), Note: "reverse takeover"}, ""); err != nil {
		t.Error(err)
	}
	// One that is created alone is held to the same.
	if _, err := b.create(t.Context(), relations, related(7, "pb", child, "pd"), ""); err != nil {
		t.Error(err)
	}
	_, err = b.create(t.Context(), relations, related(8, "pd", child, "pb"), "")
	circleOf.check(t, err)
	b.sent(t, relations, "", []proto.Message{
		related(21, "oa", shareholder, "ob"), related(22, "ob", shareholder, "oc"), related(23, "oc", shareholder, "oa"),
	}, created, created, created)
}

func TestRelationStaysWhatItIs(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	ids := b.family(t, 3, 1)
	id := b.upsert(t, relations, related(1, "pa", spouse, "pb"))[0]
	for field, change := range map[string]*crmv1.Relation{
		"customer_id": {CustomerKey: fixed("pc")}, "type": {Type: crmv1.RelationType_RELATION_TYPE_SIBLING}, "other_customer_id": {OtherCustomerKey: fixed("pc")},
	} {
		change.RelationId = id
		_, err := b.update(t.Context(), relations, change, "")
		refused("relation."+field).check(t, err)
	}
	// A child who opens an account becomes a customer, and leaves the name behind.
	named := b.upsert(t, relations, relations.sample("grown", 1))[0]
	grown, err := b.update(t.Context(), relations, &crmv1.Relation{RelationId: named, OtherCustomerKey: fixed("pc")}, "")
	if err != nil {
		t.Fatal(err)
	}
	if r := grown.(*crmv1.Relation); r.GetOtherCustomerId() != ids["pc"] || r.GetOtherName() != "" || r.GetOtherBirthDate() != nil {
		t.Errorf("grown up: %v", r)
	}
}

func TestEndRelation(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.family(t, 2, 0)
	client := crmv1.NewRelationServiceClient(b.conn)
	begun := related(1, "pa", spouse, "pb")
	begun.ValidFrom = day(2010, 5, 5)
	id := b.upsert(t, relations, begun)[0]
	_, err := client.EndRelation(t.Context(), &crmv1.EndRelationRequest{RelationId: id, EndDate: day(2010, 5, 4), Reason: "divorced"})
	refused("end_date").check(t, err)
	_, err = client.EndRelation(t.Context(), &crmv1.EndRelationRequest{RelationId: id, EndDate: day(2020, 5, 4)})
	refused("reason").check(t, err)
	_, err = client.EndRelation(t.Context(), &crmv1.EndRelationRequest{RelationId: id, EndDate: day(2020, 5, 4), Reason: "divorced", Etag: "old"})
	refusal{code: codes.Aborted, reason: apperr.ReasonEtagMismatch}.check(t, err)
	_, err = client.EndRelation(t.Context(), &crmv1.EndRelationRequest{RelationId: id + 1000, EndDate: day(2020, 5, 4), Reason: "divorced"})
	refusal{code: codes.NotFound, reason: apperr.ReasonNotFound}.check(t, err)
	ended, err := client.EndRelation(t.Context(), &crmv1.EndRelationRequest{RelationId: id, EndDate: day(2020, 5, 4), Reason: "divorced"})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "end date", day(2020, 5, 4), ended.GetRelation().GetValidTo())
	if ended.GetRelation().GetEndReason() != "divorced" {
		t.Errorf("ended: %v", ended)
	}
	b.wantVersions(t, relations, id, 2)
	// They may marry again the day after.
	again := related(2, "pb", spouse, "pa")
	again.ValidFrom = day(2020, 5, 5)
	b.sent(t, relations, "", []proto.Message{again}, created)
}

// Callers who each add one relation of a circle at the same moment: one of them closes it and is refused.
func TestRelationCirclesRace(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	const rounds, length = 8, 4
	for round := range rounds {
		ring := make([]proto.Message, length)
		for i := range ring {
			ring[i] = customers.sample("ring", round*length+i)
		}
		b.upsert(t, customers, ring...)
		var done sync.WaitGroup
		var refusedRows atomic.Int32
		for i := range length {
			done.Go(func() {
				r := related(round*length+i, "", child, "")
				r.CustomerKey, r.OtherCustomerKey = key("ring", round*length+i), key("ring", round*length+(i+1)%length)
				results, err := b.batch(t.Context(), relations, []proto.Message{r}, "", false)
				if err != nil {
					t.Error(err)
				} else if results[0].GetError() != nil {
					refusedRows.Add(1)
				}
			})
		}
		done.Wait()
		if n := refusedRows.Load(); n != 1 {
			t.Errorf("round %d: %d of %d relations of a circle were refused, want 1", round, n, length)
		}
	}
}
