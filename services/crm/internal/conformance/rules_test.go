package conformance

import (
	"math"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/type/latlng"
	moneypb "google.golang.org/genproto/googleapis/type/money"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

func TestRegionFields(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	at := func(n int, latitude, longitude float64) proto.Message {
		r := regions.sample("fields", n).(*crmv1.Region)
		r.Location = &latlng.LatLng{Latitude: latitude, Longitude: longitude}
		return r
	}
	odd := regions.sample("fields", 4).(*crmv1.Region)
	odd.Indicators["odd"] = math.Inf(1)
	results := b.sent(t, regions, "", []proto.Message{at(0, 50.0875, 14.4213), at(1, 90.5, 0), at(2, 0, -181), at(3, math.NaN(), math.NaN()), odd},
		created, rejected, rejected, rejected, rejected)
	refused("location.latitude").checkRow(t, results[1])
	refused("location.longitude").checkRow(t, results[2])
	refused("location.latitude").checkRow(t, results[3])
	refused("location.longitude").checkRow(t, results[3])
	refused("indicators.odd").checkRow(t, results[4])
	stored, err := b.get(t.Context(), regions, results[0].GetId())
	if err != nil {
		t.Fatal(err)
	}
	same(t, "stored", strip(regions, at(0, 50.0875, 14.4213)), strip(regions, stored))
	same(t, "the event's place", &latlng.LatLng{Latitude: 50.0875, Longitude: 14.4213}, b.changes(t, regions, results[0].GetId())[0].GetRegion().GetLocation())
}

// Codes are unique beside keys: a row that takes another one's is refused by the table, and the rest of the batch is
// written all the same.
func TestProductCodeTaken(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	product := func(n int, code string) proto.Message {
		p := products.sample("code", n).(*crmv1.Product)
		p.Code = code
		return p
	}
	taken := refusal{codes.AlreadyExists, apperr.ReasonDuplicate, "code"}
	results := b.sent(t, products, "", []proto.Message{
		product(1, "A"), product(2, "CA"), product(3, "B"), product(4, "B"), product(5, "C"),
	}, created, rejected, created, rejected, created)
	taken.checkRow(t, results[1])
	taken.checkRow(t, results[3])
	for _, i := range []int{0, 2, 4} {
		b.wantVersions(t, products, results[i].GetId(), 1)
	}
	results = b.sent(t, products, "", []proto.Message{product(1, "C"), product(3, "D"), product(5, "C")}, rejected, updated, unchanged)
	taken.checkRow(t, results[0])
	b.wantVersions(t, products, results[1].GetId(), 2)
}

func TestContractFields(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	contract := func(n int, change func(*crmv1.Contract)) proto.Message {
		c := contracts.sample("fields", n).(*crmv1.Contract)
		change(c)
		return c
	}
	results := b.sent(t, contracts, "", []proto.Message{
		contract(0, func(c *crmv1.Contract) { c.Amount = nil }),
		contract(1, func(c *crmv1.Contract) { c.Amount = crowns(-1) }),
		contract(2, func(c *crmv1.Contract) { c.Instalment = &moneypb.Money{CurrencyCode: "EUR", Units: 1} }),
		contract(3, func(c *crmv1.Contract) { c.Closed = day(2026, 1, 1) }),
		contract(4, func(c *crmv1.Contract) {
			c.State, c.Closed = crmv1.ContractState_CONTRACT_STATE_FINISHED, day(2025, 1, 1)
		}),
		contract(5, func(c *crmv1.Contract) { c.Amount = &moneypb.Money{CurrencyCode: "CZK", Nanos: 12345} }),
		contract(6, func(c *crmv1.Contract) { c.State, c.AccountKey = 0, nil }),
	}, rejected, rejected, rejected, rejected, rejected, rejected, created)
	for i, field := range map[int]string{0: "amount", 1: "amount", 2: "instalment", 3: "closed", 4: "closed", 5: "amount"} {
		refused(field).checkRow(t, results[i])
	}
}

func TestInteractionFields(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	interaction := func(n int, change func(*crmv1.Interaction)) proto.Message {
		i := &crmv1.Interaction{
			Key: key("fields", n), CustomerKey: fixed("customer"), OpenedTime: at(60), Kind: crmv1.InteractionKind_INTERACTION_KIND_REQUEST,
		}
		change(i)
		return i
	}
	call := crmv1.InteractionKind_INTERACTION_KIND_CALL
	results := b.sent(t, interactions, "", []proto.Message{
		interaction(0, func(*crmv1.Interaction) {}),
		interaction(1, func(i *crmv1.Interaction) { i.Kind = call }),
		interaction(2, func(i *crmv1.Interaction) { i.FirstAnswerTime = at(59) }),
		interaction(3, func(i *crmv1.Interaction) { i.ResolvedTime = at(59) }),
		interaction(4, func(i *crmv1.Interaction) { i.Kind, i.ResolvedTime = call, at(61) }),
		interaction(5, func(i *crmv1.Interaction) { i.Kind, i.Priority = call, crmv1.Priority_PRIORITY_LOW }),
		interaction(6, func(i *crmv1.Interaction) { i.CustomerKey = nil }),
		interaction(7, func(i *crmv1.Interaction) { i.OpenedTime = nil }),
		interaction(8, func(i *crmv1.Interaction) { i.Satisfaction = 6 }),
		interaction(9, func(i *crmv1.Interaction) { i.OpenedTime = &timestamppb.Timestamp{Seconds: math.MaxInt64} }),
		interaction(10, func(i *crmv1.Interaction) { i.ResolvedTime = at(60) }),
	}, created, created, rejected, rejected, rejected, rejected, rejected, rejected, rejected, rejected, created)
	for i, field := range map[int]string{
		2: "first_answer_time", 3: "resolved_time", 4: "resolved_time", 5: "priority", 6: "customer_id", 7: "opened_time", 8: "satisfaction", 9: "opened_time",
	} {
		refused(field).checkRow(t, results[i])
	}
	for i, want := range []crmv1.Priority{crmv1.Priority_PRIORITY_NORMAL, crmv1.Priority_PRIORITY_UNSPECIFIED} {
		m, err := b.get(t.Context(), interactions, results[i].GetId())
		if err != nil {
			t.Fatal(err)
		}
		if got := m.(*crmv1.Interaction).GetPriority(); got != want {
			t.Errorf("the default priority of %d is %s", i, got)
		}
	}
}

func TestInteractionStaysWhatItIs(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	id := b.upsert(t, interactions, interactions.sample("stays", 1))[0]
	for field, change := range map[string]*crmv1.Interaction{
		"customer_id": {CustomerKey: fixed("other customer")},
		"kind":        {Kind: crmv1.InteractionKind_INTERACTION_KIND_REQUEST},
		"opened_time": {OpenedTime: timestamppb.New(at(0).AsTime().Add(-time.Microsecond))},
	} {
		change.InteractionId = id
		_, err := b.update(t.Context(), interactions, change, "")
		refused("interaction."+field).check(t, err)
	}
	if _, err := b.update(t.Context(), interactions, &crmv1.Interaction{InteractionId: id, ResolvedTime: at(90), Satisfaction: 4}, ""); err != nil {
		t.Error(err)
	}
	b.wantVersions(t, interactions, id, 2)
}

// Half an hour before midnight in UTC is the next day in Prague; nanoseconds are cut to what Postgres keeps.
func TestInteractionBusinessDate(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	i := interactions.sample("date", 1).(*crmv1.Interaction)
	i.OpenedTime = timestamppb.New(time.Date(2026, 1, 31, 23, 30, 0, 123456789, time.UTC))
	id := b.upsert(t, interactions, i)[0]
	change := b.changes(t, interactions, id)[0].GetInteraction()
	if change.GetBusinessDate() != "2026-02-01" || change.GetOpenedTime().GetNanos() != 123456000 {
		t.Errorf("the event says %s, %s", change.GetBusinessDate(), change.GetOpenedTime().AsTime())
	}
	b.sent(t, interactions, "", []proto.Message{i}, unchanged)
}
