package segment_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"tandem.bank/pkg/testkit"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
)

// awaitMembers waits until a segment has these members now.
func (b *bank) awaitMembers(t *testing.T, name string, want ...int64) {
	t.Helper()
	testkit.Eventually(t, testkit.Patience, func() error {
		page, err := b.server.ListSegmentMembers(eva(t.Context()), &analyticsv1.ListSegmentMembersRequest{Segment: name})
		if err != nil {
			return err
		}
		if got := page.GetCustomerIds(); !slices.Equal(got, want) {
			return fmt.Errorf("%s has %v, want %v", name, got, want)
		}
		return nil
	})
}

// told writes events as "+7 catch_up".
func told(events []*analyticsv1.MembershipEvent) []string {
	out := make([]string, len(events))
	for i, e := range events {
		sign := "-"
		if e.GetJoined() {
			sign = "+"
		}
		out[i] = fmt.Sprintf("%s%d %d", sign, e.GetCustomerId(), e.GetCause())
	}
	return out
}

// Segments follow changes, new rules and the end of others, with the causes; after a stop nothing is lost and nothing comes twice.
func TestFollow(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.people(t)
	b.define(t, "far", 1, false, dynamic("region_id > 8"))
	b.define(t, "both", 1, false, dynamic(`segment("far") AND state = active`))
	sent, stop := b.follow(t)
	b.awaitMembers(t, "both", 9, 10)

	// A change of facts: both segments follow, the one through the other.
	began := time.Now()
	b.load(t, customer(1, 2, 9, person(1, 10)), customer(10, 2, 9, person(10, 1)))
	b.service.Changed([]uint64{1, 10}, func(uint64) []string { return []string{"customer"} })
	b.awaitMembers(t, "both", 1, 9)
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("following took %s", took)
	}
	events := b.events(t, "both")
	if last := events[len(events)-1]; last.GetCause() != analyticsv1.MembershipCause_MEMBERSHIP_CAUSE_CHANGE || !slices.Equal(last.GetChanged(), []string{"customer"}) {
		t.Errorf("the last event is %v", last)
	}
	// A new rule, and a new segment.
	b.define(t, "far", 2, false, dynamic("region_id > 9"))
	b.awaitMembers(t, "both", 1)
	b.define(t, "young", 1, false, dynamic("top(region_id, 10%)"))
	b.awaitMembers(t, "young", 1)
	// The end of one.
	b.define(t, "young", 1, true, dynamic("top(region_id, 10%)"))
	b.awaitMembers(t, "young")
	sent.await(t, 5)
	stop()

	// Nothing moves by a stop and a start; what changed meanwhile is caught up on.
	b.load(t, customer(2, 2, 10, person(2, 10)))
	b.start(t)
	again, stopAgain := b.follow(t)
	b.awaitMembers(t, "both", 1, 2)
	again.await(t, 1)
	b.start(t)
	stopAgain()
	_, stopLast := b.follow(t)
	b.awaitMembers(t, "both", 1, 2)
	stopLast()
	const changed, defined, caughtUp = 1, 2, 4
	want := []string{
		fmt.Sprintf("+9 %d", caughtUp), fmt.Sprintf("+10 %d", caughtUp), fmt.Sprintf("+1 %d", changed), fmt.Sprintf("-10 %d", changed),
		fmt.Sprintf("-9 %d", defined), fmt.Sprintf("+2 %d", caughtUp),
	}
	if got := told(b.events(t, "both")); !slices.Equal(got, want) {
		t.Errorf("events %v\n want %v", got, want)
	}
	sizes, err := b.server.ListSegmentSizes(eva(t.Context()), &analyticsv1.ListSegmentSizesRequest{Segment: "both"})
	if err != nil || len(sizes.GetDays()) == 0 || sizes.GetDays()[len(sizes.GetDays())-1].GetCustomers() != 2 {
		t.Errorf("sizes %v, %v", sizes, err)
	}
	again.await(t, 1) // and no more
	explained, err := b.server.ExplainMembership(eva(t.Context()), &analyticsv1.ExplainMembershipRequest{CustomerId: 2, Segment: "both"})
	if err != nil || !explained.GetMember() || !explained.GetLastEvent().GetJoined() {
		t.Errorf("explained %v, %v", explained, err)
	}
	b.home(t, map[string]string{"far": "[1 2]", "both": "[1 2]", "young": "[]"})
}

// home reads all bundles in the order in which they are sent, and wants them to give the members of now.
func (b *bank) home(t *testing.T, want map[string]string) {
	t.Helper()
	runs, err := b.service.Unpublished(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	members := map[string]map[int64]bool{}
	for _, run := range runs {
		bundles := int32(0)
		err := b.service.Bundles(t.Context(), run, func(bundle *eventsv1.InsightBundle) error {
			results := bundle.GetSegments()
			if bundle.GetBundleIndex() != bundles || bundle.GetBundleCount() < 1 || results.GetDefinitionVersion() < 1 {
				t.Errorf("bundle %v", bundle)
			}
			bundles++
			if members[results.GetSegment()] == nil {
				members[results.GetSegment()] = map[int64]bool{}
			}
			for i, id := range results.GetCustomerIds() {
				members[results.GetSegment()][id] = results.GetMembers()[i]
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := b.service.MarkPublished(t.Context(), run); err != nil {
			t.Fatal(err)
		}
	}
	for name, list := range want {
		got := []int64{}
		for id, member := range members[name] {
			if member {
				got = append(got, id)
			}
		}
		slices.Sort(got)
		if fmt.Sprint(got) != list {
			t.Errorf("%s went home as %v, want %s", name, got, list)
		}
	}
	if left, err := b.service.Unpublished(t.Context()); err != nil || len(left) > 0 {
		t.Errorf("%v are left, %v", left, err)
	}
}

// holds are the customers whom a filter of another room admits on a day.
func (b *bank) holds(t *testing.T, text string, day time.Time) []int64 {
	t.Helper()
	reading, err := b.service.Reading(t.Context(), day)
	if err != nil {
		t.Fatal(err)
	}
	clause, err := reading.Clauses(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	from, err := reading.From(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var out []int64
	sql := "SELECT arraySort(groupArray(toInt64(f.customer_id))) FROM " + from.SQL + " WHERE " + clause.Condition
	if err := b.conn.QueryRow(t.Context(), sql, from.Args...).Scan(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

// The fact segments says of today what segment("…") says, and of a past day what was followed then; what is not followed it tells by
// its newest run.
func TestFactTellsWhatIsFollowed(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.people(t)
	b.define(t, "far", 1, false, dynamic("region_id > 8"))
	for _, insert := range []string{
		`INSERT INTO segment_event (segment, customer_id, event_time, joined, definition_version, as_of, run_id, cause, changed)
		VALUES ('far', 5, '2026-03-08 10:00:00', 1, 1, '2026-03-08', generateUUIDv4(), 'change', [])`,
		`INSERT INTO segment_run (run_id, segment, definition_version, as_of, customers, computed_time) SELECT
		toUUID('00000000-0000-0000-0000-00000000000' || toString(number)), 'habits/1', 1, toDate('2026-03-07') + number, 1,
		toDateTime('2026-03-07 10:00:00') + 86400 * number FROM numbers(2)`,
		`INSERT INTO segment_member (segment, as_of, run_id, customer_id) SELECT 'habits/1', toDate('2026-03-07') + number,
		toUUID('00000000-0000-0000-0000-00000000000' || toString(number)), 3 + number FROM numbers(2)`,
	} {
		if err := b.conn.Exec(t.Context(), insert); err != nil {
			t.Fatal(err)
		}
	}
	_, stop := b.follow(t)
	defer stop()
	b.awaitMembers(t, "far", 9, 10)
	b.load(t, customer(1, 2, 9, person(1, 10)))
	b.service.Changed([]uint64{1}, func(uint64) []string { return []string{"customer"} })
	b.define(t, "near", 1, false, dynamic("region_id < 3"))
	if err := b.service.Await(t.Context()); err != nil { // then all has followed
		t.Fatal(err)
	}
	if far, near := b.members(t, "far", ""), b.members(t, "near", ""); !slices.Equal(far, []int64{1, 9, 10}) || !slices.Equal(near, []int64{2}) {
		t.Errorf("far has %v, near %v", far, near)
	}
	for text, want := range map[string]map[int][]int64{
		`segment("far")`:      {10: {1, 9, 10}},
		`segments:"far"`:      {10: {1, 9, 10}, 9: {5}, 8: {5}, 7: {}},
		`segments:"habits/1"`: {10: {4}, 8: {4}, 7: {3}},
		// Those at the top are far, both.
		`top(region_id, 10%) AND NOT segments:"far"`: {10: {}},
	} {
		for day, ids := range want {
			if got := b.holds(t, text, time.Date(2026, 3, day, 0, 0, 0, 0, time.UTC)); !slices.Equal(got, ids) {
				t.Errorf("%s on March %d: %v, want %v", text, day, got, ids)
			}
		}
	}
}
