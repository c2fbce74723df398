package conformance

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	datepb "google.golang.org/genproto/googleapis/type/date"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/date"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

func (b *bank) explore(t *testing.T, req *crmv1.ExploreRelationsRequest) *crmv1.ExploreRelationsResponse {
	t.Helper()
	answer, err := crmv1.NewRelationServiceClient(b.conn).ExploreRelations(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// seen renders an answer: distance, name of the party, its names along the relations, and the way.
func seen(answer *crmv1.ExploreRelationsResponse) []string {
	var out []string
	for _, c := range answer.GetConnections() {
		var names []string
		for _, r := range c.GetRelations() {
			names = append(names, r.GetName())
		}
		out = append(out, fmt.Sprintf("%d %s: %s %d", c.GetDistance(), c.GetParty().GetName(), strings.Join(names, ", "), c.GetPath()))
	}
	return out
}

func TestExploreRelations(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	ids := b.family(t, 4, 2)
	married := related(1, "pa", spouse, "pb")
	married.ValidFrom, married.ValidTo = day(2000, 1, 1), day(2009, 12, 31)
	son := related(2, "pa", child, "pb")
	son.OtherCustomerKey, son.OtherName, son.OtherBirthDate = nil, "Adam", day(2005, 6, 7)
	b.upsert(t, relations, married, son,
		related(3, "pb", employer, "oa"), related(4, "oa", parentCompany, "ob"), related(5, "ob", shareholder, "pa"),
		related(6, "pc", child, "pa"), related(7, "oa", contactPerson, "pb"))
	way := func(names ...string) string {
		numbers := make([]int64, len(names))
		for i, name := range names {
			numbers[i] = ids[name]
		}
		return fmt.Sprint(numbers)
	}
	cases := []struct {
		name string
		req  *crmv1.ExploreRelationsRequest
		want []string
	}{
		{"depth 1 in 2005", &crmv1.ExploreRelationsRequest{AsOf: day(2005, 1, 1)}, []string{
			"1 Ota pb: spouse " + way("pa", "pb"), "1 Adam: child " + way("pa"), "1 ob s.r.o.: holding " + way("pa", "ob"), "1 Ota pc: parent " + way("pa", "pc"),
		}},
		// The circle pa, pb, oa, ob ends where it meets what was reached, and two relations of the same two stand together.
		{"depth 5 in 2005", &crmv1.ExploreRelationsRequest{AsOf: day(2005, 1, 1), Depth: 5}, []string{
			"1 Ota pb: spouse " + way("pa", "pb"), "1 Adam: child " + way("pa"), "1 ob s.r.o.: holding " + way("pa", "ob"), "1 Ota pc: parent " + way("pa", "pc"),
			"2 oa s.r.o.: employer, contact of " + way("pa", "pb", "oa"),
		}},
		{"depth 3 today", &crmv1.ExploreRelationsRequest{Depth: 3}, []string{
			"1 Adam: child " + way("pa"), "1 ob s.r.o.: holding " + way("pa", "ob"), "1 Ota pc: parent " + way("pa", "pc"),
			"2 oa s.r.o.: subsidiary " + way("pa", "ob", "oa"), "3 Ota pb: employee, contact person " + way("pa", "ob", "oa", "pb"),
		}},
		{"last day", &crmv1.ExploreRelationsRequest{AsOf: day(2009, 12, 31), Types: []crmv1.RelationType{spouse}}, []string{"1 Ota pb: spouse " + way("pa", "pb")}},
		{"day after", &crmv1.ExploreRelationsRequest{AsOf: day(2010, 1, 1), Types: []crmv1.RelationType{spouse}, Depth: 5}, nil},
	}
	for _, c := range cases {
		c.req.CustomerId = ids["pa"]
		answer := b.explore(t, c.req)
		if diff := cmp.Diff(c.want, seen(answer)); diff != "" || answer.GetMore() {
			t.Errorf("%s (-want +got), more %t:\n%s", c.name, answer.GetMore(), diff)
		}
		if answer.GetAsOf() == nil {
			t.Errorf("%s: no day", c.name)
		}
	}
	if got := b.explore(t, &crmv1.ExploreRelationsRequest{Key: fixed("pd"), Depth: 5}); len(got.GetConnections()) != 0 {
		t.Errorf("somebody alone is related to %v", got)
	}
	client := crmv1.NewRelationServiceClient(b.conn)
	for field, req := range map[string]*crmv1.ExploreRelationsRequest{
		"depth": {CustomerId: 1, Depth: 6}, "as_of": {CustomerId: 1, AsOf: day(2021, 2, 29)}, "types[0]": {CustomerId: 1, Types: []crmv1.RelationType{99}},
		"fan_out_max": {CustomerId: 1, FanOutMax: 201}, "parties_max": {CustomerId: 1, PartiesMax: 501}, "": {},
	} {
		_, err := client.ExploreRelations(t.Context(), req)
		refused(field).check(t, err)
	}
	_, err := client.ExploreRelations(t.Context(), &crmv1.ExploreRelationsRequest{CustomerId: 99999})
	refusal{code: codes.NotFound, reason: apperr.ReasonNotFound}.check(t, err)
}

// What a limit cuts off is marked, and what is left comes in order.
func TestExploreRelationsLimits(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	ids := b.family(t, 20, 1)
	var rows []proto.Message
	for i := range 20 {
		rows = append(rows, related(i, "p"+string(rune('a'+i)), employer, "oa"))
	}
	b.upsert(t, relations, append(rows, related(100, "pa", spouse, "pb"))...)
	answer := b.explore(t, &crmv1.ExploreRelationsRequest{CustomerId: ids["pa"], Depth: 3, FanOutMax: 5})
	if got := len(answer.GetConnections()); got != 2+5 || !answer.GetMore() || !slices.Equal(answer.GetCutCustomerIds(), []int64{ids["oa"]}) {
		t.Errorf("%d parties, more %t, cut %v", got, answer.GetMore(), answer.GetCutCustomerIds())
	}
	answer = b.explore(t, &crmv1.ExploreRelationsRequest{CustomerId: ids["pa"], Depth: 3, PartiesMax: 6})
	if got := len(answer.GetConnections()); got != 6 || !answer.GetMore() || !slices.Equal(answer.GetCutCustomerIds(), []int64{ids["oa"]}) {
		t.Errorf("%d parties, more %t, cut %v", got, answer.GetMore(), answer.GetCutCustomerIds())
	}
	answer = b.explore(t, &crmv1.ExploreRelationsRequest{CustomerId: ids["oa"], FanOutMax: 20, PartiesMax: 20})
	if got := len(answer.GetConnections()); got != 20 || answer.GetMore() {
		t.Errorf("%d parties, more %t", got, answer.GetMore())
	}
}

// line is a relation of the model: a plain list in the order of ids.
type line struct {
	id              int64
	customer, other int64
	first, last     time.Time
	relationType    crmv1.RelationType
}

// reach is the model: who is reached in how many steps, from whom, over which relations.
func reach(lines []line, start int64, depth int, asOf time.Time, types []crmv1.RelationType) map[int64]string {
	distance, from := map[int64]int{start: 0}, map[int64]int64{}
	over := map[int64][]int64{}
	level := []int64{start}
	for d := 1; d <= depth; d++ {
		var next []int64
		for _, near := range level {
			for _, l := range lines {
				far := l.other
				if l.customer != near {
					far = l.customer
				}
				holds := !asOf.Before(l.first) && !asOf.After(l.last) && (len(types) == 0 || slices.Contains(types, l.relationType))
				if !holds || (l.customer != near && l.other != near) {
					continue
				}
				if _, known := distance[far]; !known {
					distance[far], from[far] = d, near
					next = append(next, far)
				}
				if distance[far] == d && from[far] == near {
					over[far] = append(over[far], l.id)
				}
			}
		}
		level = next
	}
	out := map[int64]string{}
	for id, d := range distance {
		if d > 0 {
			out[id] = fmt.Sprint(d, from[id], over[id])
		}
	}
	return out
}

// Walks over a random tangle, with circles everywhere, find what a plain model finds.
func TestExploreRelationsLikeAModel(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	const persons, tries = 24, 90
	ids := b.family(t, persons, 0)
	names := make([]string, persons)
	for i := range names {
		names[i] = "p" + string(rune('a'+i))
	}
	random := rand.New(rand.NewPCG(7, 11))
	all := []crmv1.RelationType{spouse, child, crmv1.RelationType_RELATION_TYPE_GUARANTOR, crmv1.RelationType_RELATION_TYPE_BUSINESS_PARTNER, employer}
	someDay := func() time.Time { return time.Date(2000, 1, 1+random.IntN(7000), 0, 0, 0, 0, time.UTC) }
	records, lines := make([]proto.Message, tries), make([]line, tries)
	for i := range records {
		l := line{first: someDay(), relationType: all[random.IntN(len(all))]}
		l.last = l.first.AddDate(random.IntN(9), 0, 0)
		from, to := names[random.IntN(persons)], names[random.IntN(persons)]
		r := related(i, from, l.relationType, to)
		r.ValidFrom, r.ValidTo = date.Proto(l.first), date.Proto(l.last)
		l.customer, l.other = ids[from], ids[to]
		records[i], lines[i] = r, l
	}
	results, err := b.batch(t.Context(), relations, records, "", false)
	if err != nil {
		t.Fatal(err)
	}
	var taken []line
	for i, result := range results {
		if lines[i].id = result.GetId(); lines[i].id != 0 {
			taken = append(taken, lines[i])
		}
	}
	if len(taken) < tries/2 {
		t.Fatalf("only %d relations were taken", len(taken))
	}
	for range 300 {
		start, depth, asOf := ids[names[random.IntN(persons)]], 1+random.IntN(5), someDay()
		var types []crmv1.RelationType
		if random.IntN(2) == 0 {
			types = []crmv1.RelationType{all[random.IntN(len(all))], all[random.IntN(len(all))]}
		}
		answer := b.explore(t, &crmv1.ExploreRelationsRequest{
			CustomerId: start, Depth: int32(depth), AsOf: date.Proto(asOf), Types: types, FanOutMax: 200, PartiesMax: 500,
		})
		got := map[int64]string{}
		for _, c := range answer.GetConnections() {
			var over []int64
			for _, r := range c.GetRelations() {
				over = append(over, r.GetRelation().GetRelationId())
			}
			path := c.GetPath()
			got[c.GetParty().GetCustomerId()] = fmt.Sprint(c.GetDistance(), path[len(path)-2], over)
			if path[0] != start || len(path) != int(c.GetDistance())+1 {
				t.Errorf("way of length %d: %v", c.GetDistance(), path)
			}
		}
		if diff := cmp.Diff(reach(taken, start, depth, asOf, types), got); diff != "" {
			t.Fatalf("from %d, depth %d, on %s, %v (-want +got):\n%s", start, depth, date.Text(asOf), types, diff)
		}
	}
}

// What is shown on the screen is what holds today, directly.
func TestRelationsOnScreen(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	ids := b.family(t, 3, 0)
	past := related(1, "pa", spouse, "pb")
	past.ValidTo = day(2020, 1, 1)
	b.upsert(t, relations, past, related(2, "pa", child, "pc"), related(3, "pb", child, "pc"))
	screen, err := crmv1.NewCustomer360ServiceClient(b.conn).GetCustomer360(t.Context(), &crmv1.GetCustomer360Request{CustomerId: ids["pa"]})
	if err != nil {
		t.Fatal(err)
	}
	shown := screen.GetRelations()
	if got := seen(&crmv1.ExploreRelationsResponse{Connections: shown}); len(got) != 1 || !strings.HasPrefix(got[0], "1 Ota pc: child") {
		t.Fatalf("relations: %v", got)
	}
	same(t, "birthday", &datepb.Date{Year: 1970, Month: 1, Day: 1}, shown[0].GetParty().GetBirthDate())
	same(t, "newest change", shown[0].GetRelations()[0].GetRelation().GetUpdateTime(), screen.GetAges()["relations"].GetNewestChangeTime())
}

// exerciseRelations runs the statements of this room that only it has.
func (b *bank) exerciseRelations(t *testing.T) {
	t.Helper()
	for _, filter := range []string{"customer_id = 77", "other_customer_id = 77", "customer_id = 77 OR other_customer_id = 77"} {
		b.listTwice(t, relations, filter)
	}
	if got := b.explore(t, &crmv1.ExploreRelationsRequest{CustomerId: 77, Depth: 5}); len(got.GetConnections()) < 10 {
		t.Errorf("only %d parties around", len(got.GetConnections()))
	}
	crowd := func(n int) *crmv1.ExternalKey { return key("crowd", n) }
	b.upsert(t, relations, &crmv1.Relation{Key: key("new", 77), CustomerKey: crowd(77), Type: child, OtherCustomerKey: crowd(78)})
	id := b.upsert(t, relations, &crmv1.Relation{Key: key("new", 78), CustomerKey: crowd(78), Type: child, OtherCustomerKey: crowd(79)})[0]
	_, err := crmv1.NewRelationServiceClient(b.conn).EndRelation(t.Context(), &crmv1.EndRelationRequest{RelationId: id, EndDate: day(2020, 1, 1), Reason: "mistake"})
	if err != nil {
		t.Fatal(err)
	}
}
