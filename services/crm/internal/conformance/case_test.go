package conformance

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/interaction"
	"tandem.bank/services/crm/internal/record"
)

// clock is a moment of the bank's wall clock.
func clock(t *testing.T, text string) *timestamppb.Timestamp {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Prague")
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.ParseInLocation("2006-01-02 15:04", text, zone)
	if err != nil {
		t.Fatal(err)
	}
	return timestamppb.New(at)
}

// newCase opens a complaint on a Friday afternoon and returns it as stored.
func (b *bank) newCase(t *testing.T, n int, edit func(*crmv1.Interaction)) *crmv1.Interaction {
	t.Helper()
	c := &crmv1.Interaction{
		Key: key("case", n), CustomerKey: fixed("customer"), Kind: crmv1.InteractionKind_INTERACTION_KIND_COMPLAINT,
		OpenedTime: clock(t, "2026-03-06 16:00"),
	}
	if edit != nil {
		edit(c)
	}
	m, err := b.get(t.Context(), interactions, b.upsert(t, interactions, c)[0])
	if err != nil {
		t.Fatal(err)
	}
	return m.(*crmv1.Interaction)
}

func (b *bank) promise(t *testing.T, n int, level *crmv1.ServiceLevel) {
	t.Helper()
	level.Key = key("promise", n)
	b.upsert(t, serviceLevels, level)
}

func TestDueTimesComeFromServiceLevels(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.promise(t, 1, &crmv1.ServiceLevel{FirstAnswerHours: 4, ResolutionHours: 20})
	b.promise(t, 2, &crmv1.ServiceLevel{Class: "fraud", ResolutionHours: 48, Calendar: crmv1.ServiceCalendar_SERVICE_CALENDAR_AROUND_THE_CLOCK})
	b.promise(t, 3, &crmv1.ServiceLevel{Class: "fraud", Priority: crmv1.Priority_PRIORITY_HIGH, FirstAnswerHours: 1, ResolutionHours: 1})

	want := func(c *crmv1.Interaction, answer, resolution string) {
		t.Helper()
		for field, at := range map[string]string{"first_answer_due_time": answer, "due_time": resolution} {
			var due *timestamppb.Timestamp
			if at != "" {
				due = clock(t, at)
			}
			if got := get(c, field).Message().Interface().(*timestamppb.Timestamp); !proto.Equal(got, due) {
				t.Errorf("%s is %v, want %s", field, got.AsTime(), at)
			}
		}
	}
	plain := b.newCase(t, 1, nil)
	want(plain, "2026-03-09 10:00", "2026-03-10 16:00")
	if !plain.GetBreached() || plain.GetCaseState() != crmv1.CaseState_CASE_STATE_OPEN || plain.GetServiceLevelId() == 0 {
		t.Errorf("an old case without answer is %v", plain)
	}
	fraud := b.newCase(t, 2, func(c *crmv1.Interaction) { c.Class = "fraud" })
	want(fraud, "", "2026-03-08 16:00")
	given := b.newCase(t, 3, func(c *crmv1.Interaction) { c.Class, c.DueTime = "fraud", clock(t, "2026-12-24 12:00") })
	want(given, "", "2026-12-24 12:00")
	if given.GetServiceLevelId() != 0 {
		t.Error("a due time that was given is said to come from a service level")
	}

	// Another priority is another promise; a due time that was given stays.
	urgent := &crmv1.Interaction{InteractionId: fraud.GetInteractionId(), Priority: crmv1.Priority_PRIORITY_HIGH}
	m, err := b.update(t.Context(), interactions, urgent, "")
	if err != nil {
		t.Fatal(err)
	}
	want(m.(*crmv1.Interaction), "2026-03-06 17:00", "2026-03-06 17:00")
	urgent.InteractionId = given.GetInteractionId()
	if m, err = b.update(t.Context(), interactions, urgent, ""); err != nil {
		t.Fatal(err)
	}
	if got := m.(*crmv1.Interaction).GetDueTime(); !proto.Equal(got, given.GetDueTime()) {
		t.Errorf("the due time that was given is now %s", got.AsTime())
	}
	m, err = b.update(t.Context(), interactions, &crmv1.Interaction{InteractionId: fraud.GetInteractionId(), DueTime: clock(t, "2026-12-01 12:00")}, "")
	if err != nil || m.(*crmv1.Interaction).GetServiceLevelId() != 0 {
		t.Errorf("a due time given later: %v, %v", m, err)
	}

	_, err = b.create(t.Context(), interactions, &crmv1.Interaction{
		CustomerKey: fixed("customer"), Kind: crmv1.InteractionKind_INTERACTION_KIND_REQUEST, OpenedTime: at(1), Class: "weather",
	}, "")
	refused("interaction.class").check(t, err)
	if got := b.pages(t, interactions, 10, `breached = true AND case_state = "open"`, nil); !slices.Equal(got, []string{"2", "1"}) && !slices.Equal(got, []string{"3", "2", "1"}) {
		t.Errorf("breached are %v", got)
	}
}

func TestCaseLife(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	c := b.newCase(t, 1, nil)
	id := c.GetInteractionId()
	client := crmv1.NewInteractionServiceClient(b.conn)
	ctx := t.Context()
	answer := func(at string) (*crmv1.Interaction, error) {
		r, err := client.AnswerInteraction(ctx, &crmv1.AnswerInteractionRequest{InteractionId: id, Time: clock(t, at)})
		return r.GetInteraction(), err
	}
	resolve := func(at string) (*crmv1.Interaction, error) {
		r, err := client.ResolveInteraction(ctx, &crmv1.ResolveInteractionRequest{InteractionId: id, Time: clock(t, at), Outcome: "refunded"})
		return r.GetInteraction(), err
	}
	reopen := func() (*crmv1.Interaction, error) {
		r, err := client.ReopenInteraction(ctx, &crmv1.ReopenInteractionRequest{InteractionId: id})
		return r.GetInteraction(), err
	}
	rate := func(stars int32) (*crmv1.Interaction, error) {
		r, err := client.RateInteraction(ctx, &crmv1.RateInteractionRequest{InteractionId: id, Satisfaction: stars})
		return r.GetInteraction(), err
	}
	wrong := func(err error, allowed string) {
		t.Helper()
		refusal{codes.FailedPrecondition, apperr.ReasonWrongTransition, "case_state"}.check(t, err)
		if !strings.Contains(fmt.Sprint(err), allowed) {
			t.Errorf("the refusal does not say %q: %v", allowed, err)
		}
	}
	right := func(got *crmv1.Interaction, err error) func(crmv1.CaseState) {
		return func(want crmv1.CaseState) {
			t.Helper()
			if err != nil || got.GetCaseState() != want {
				t.Fatalf("%v, %v; want %s", got, err, want)
			}
		}
	}
	_, err := rate(5)
	wrong(err, "allowed: answered (answer), resolved (resolve)")
	_, err = reopen()
	wrong(err, "answered (answer)")
	_, err = answer("2026-03-06 15:00")
	refused("time").check(t, err)
	right(answer("2026-03-06 17:00"))(crmv1.CaseState_CASE_STATE_ANSWERED)
	_, err = answer("2026-03-06 17:00")
	wrong(err, "resolved (resolve)")
	_, err = resolve("2026-03-06 16:30")
	refused("time").check(t, err)
	_, err = resolve("2126-03-06 16:30")
	refused("time").check(t, err)
	right(resolve("2026-03-07 12:00"))(crmv1.CaseState_CASE_STATE_RESOLVED)
	right(rate(2))(crmv1.CaseState_CASE_STATE_RESOLVED)
	right(rate(4))(crmv1.CaseState_CASE_STATE_RESOLVED)
	got, err := reopen()
	right(got, err)(crmv1.CaseState_CASE_STATE_ANSWERED)
	if got.GetReopenedCount() != 1 || got.GetSatisfaction() != 0 || got.GetOutcome() != "refunded" || got.GetResolvedTime() != nil {
		t.Errorf("reopened is %v", got)
	}
	// An update keeps what only the steps write.
	m, err := b.update(ctx, interactions, &crmv1.Interaction{InteractionId: id, Outcome: "open again"}, "")
	if err != nil || m.(*crmv1.Interaction).GetReopenedCount() != 1 {
		t.Errorf("updated is %v, %v", m, err)
	}
	b.wantVersions(t, interactions, id, 7)

	_, err = client.AnswerInteraction(ctx, &crmv1.AnswerInteractionRequest{InteractionId: id + 1000})
	refusal{codes.NotFound, apperr.ReasonNotFound, ""}.check(t, err)
	_, err = client.ResolveInteraction(ctx, &crmv1.ResolveInteractionRequest{InteractionId: id, Etag: `"v1"`})
	refusal{codes.Aborted, apperr.ReasonEtagMismatch, ""}.check(t, err)
	call := b.newCase(t, 2, func(c *crmv1.Interaction) { c.Kind = crmv1.InteractionKind_INTERACTION_KIND_CALL })
	id = call.GetInteractionId()
	_, err = reopen()
	wrong(err, "allowed: rate")
	right(rate(5))(crmv1.CaseState_CASE_STATE_UNSPECIFIED)
}

// Steps that come together are taken one after another: only one of two answers is the first.
func TestStepsTogether(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	id := b.newCase(t, 1, nil).GetInteractionId()
	client := crmv1.NewInteractionServiceClient(b.conn)
	errs := make(chan error, 8)
	for range cap(errs) {
		go func() {
			_, err := client.AnswerInteraction(t.Context(), &crmv1.AnswerInteractionRequest{InteractionId: id})
			errs <- err
		}()
	}
	taken := 0
	for range cap(errs) {
		if err := <-errs; err == nil {
			taken++
		}
	}
	if taken != 1 {
		t.Errorf("%d answers were the first", taken)
	}
	b.wantVersions(t, interactions, id, 2)
}

func TestParticipants(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	meeting := func(n int, list ...*crmv1.Participant) *crmv1.Interaction {
		return &crmv1.Interaction{
			Key: key("meeting", n), CustomerKey: fixed("customer"), Kind: crmv1.InteractionKind_INTERACTION_KIND_SITE_VISIT,
			ManagerKey: fixed("manager"), OpenedTime: at(n), Participants: list,
		}
	}
	second := b.upsert(t, managers, &crmv1.Manager{Key: fixed("second manager"), Name: "Petr Velký"})[0]
	other := &crmv1.Participant{CustomerKey: fixed("other customer")}
	employee := &crmv1.Participant{ManagerKey: fixed("second manager")}
	results := b.sent(t, interactions, "", []proto.Message{
		meeting(1, other, employee, &crmv1.Participant{Name: "Jan Hora"}),
		meeting(2, other, proto.CloneOf(other)),
		meeting(3, &crmv1.Participant{CustomerKey: fixed("customer")}),
		meeting(4, &crmv1.Participant{}),
		meeting(5, &crmv1.Participant{Name: "x", ManagerId: second}),
		meeting(6, &crmv1.Participant{CustomerKey: fixed("nobody")}),
		meeting(7),
	}, created, rejected, rejected, rejected, rejected, rejected, created)
	for i, field := range map[int]string{1: "participants[1]", 2: "participants[0]", 3: "participants[0]", 4: "participants[0]"} {
		refused(field).checkRow(t, results[i])
	}
	refusal{codes.NotFound, apperr.ReasonReferenceNotFound, "participants[0].customer_key"}.checkRow(t, results[5])

	m, err := b.get(t.Context(), interactions, results[0].GetId())
	if err != nil {
		t.Fatal(err)
	}
	otherID := m.(*crmv1.Interaction).GetParticipants()[0].GetCustomerId()
	found := func(customer, manager int64) (ids []int64) {
		r, err := crmv1.NewInteractionServiceClient(b.conn).ListInteractions(t.Context(),
			&crmv1.ListInteractionsRequest{CustomerId: customer, ManagerId: manager, Filter: `key.source = "meeting"`})
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range r.GetInteractions() {
			ids = append(ids, i.GetInteractionId())
		}
		return ids
	}
	first, last := results[0].GetId(), results[6].GetId()
	mine := m.(*crmv1.Interaction)
	for _, c := range []struct {
		customer, manager int64
		want              []int64
	}{
		{otherID, 0, []int64{first}},
		{mine.GetCustomerId(), 0, []int64{last, first}},
		{0, second, []int64{first}},
		{0, mine.GetManagerId(), []int64{last, first}},
		{otherID, second, []int64{first}},
	} {
		if got := found(c.customer, c.manager); !slices.Equal(got, c.want) {
			t.Errorf("interactions of %d and %d are %v, want %v", c.customer, c.manager, got, c.want)
		}
	}
	var shown []*crmv1.Interaction
	if err := record.ReadSnapshot(t.Context(), b.pool, interaction.LastForCustomer(&shown, otherID, 5)); err != nil || len(shown) != 1 {
		t.Errorf("the screen of a participant shows %v, %v", shown, err)
	}
	for filter, want := range map[string]int{
		fmt.Sprintf("participants.customer_id = %d", otherID): 1, `participants:(name = "*Hora*" AND NOT role:*)`: 1,
		fmt.Sprintf("participants:(manager_id = %d AND customer_id:*)", second): 0,
	} {
		if got, _, err := b.list(t.Context(), interactions, 10, "", filter); err != nil || len(got) != want {
			t.Errorf("%s: %d interactions (%v), want %d", filter, len(got), err, want)
		}
	}
	event := b.changes(t, interactions, first)[0].GetInteraction()
	if len(event.GetParticipants()) != 2 || strings.Contains(event.String(), "Hora") {
		t.Errorf("the event says %v", event)
	}

	// Who leaves the list does not find it any more.
	if _, err := b.update(t.Context(), interactions, &crmv1.Interaction{InteractionId: first, Participants: []*crmv1.Participant{employee}}, "", "participants"); err != nil {
		t.Fatal(err)
	}
	if got := found(otherID, 0); len(got) != 0 {
		t.Errorf("a former participant finds %v", got)
	}
	if got := found(0, second); !slices.Equal(got, []int64{first}) {
		t.Errorf("the employee finds %v", got)
	}
}
