package fact

import (
	"time"

	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/warehouse"
)

// satisfactionMax is the best rating.
const satisfactionMax = 5

type interaction struct {
	record
	customerID, managerID, accountID       uint64
	kind, channel                          string
	openedTime, businessDate               time.Time
	outcome, topic, priority               string
	durationSeconds                        uint32
	firstAnswerTime, resolvedTime, dueTime *time.Time
	satisfaction                           uint8
}

var interactionTable = warehouse.NewTable("interaction",
	with("interaction_id", func(r *interaction) *record { return &r.record },
		warehouse.Col("customer_id", func(r *interaction) uint64 { return r.customerID }),
		warehouse.Col("kind", func(r *interaction) string { return r.kind }),
		warehouse.Col("channel", func(r *interaction) string { return r.channel }),
		warehouse.Col("opened_time", func(r *interaction) time.Time { return r.openedTime }),
		warehouse.Col("business_date", func(r *interaction) time.Time { return r.businessDate }),
		warehouse.Col("manager_id", func(r *interaction) uint64 { return r.managerID }),
		warehouse.Col("account_id", func(r *interaction) uint64 { return r.accountID }),
		warehouse.Col("outcome", func(r *interaction) string { return r.outcome }),
		warehouse.Col("duration_seconds", func(r *interaction) uint32 { return r.durationSeconds }),
		warehouse.Col("topic", func(r *interaction) string { return r.topic }),
		warehouse.Col("priority", func(r *interaction) string { return r.priority }),
		warehouse.Col("first_answer_time", func(r *interaction) *time.Time { return r.firstAnswerTime }),
		warehouse.Col("resolved_time", func(r *interaction) *time.Time { return r.resolvedTime }),
		warehouse.Col("due_time", func(r *interaction) *time.Time { return r.dueTime }),
		warehouse.Col("satisfaction", func(r *interaction) uint8 { return r.satisfaction }),
	)...)

func interactionOf(rec record, s *eventsv1.InteractionState) (interaction, error) {
	f := fields{prefix: "interaction"}
	opened := f.time("opened_time", s.GetOpenedTime())
	if opened == nil {
		f.fail("opened_time", "must be set")
		return interaction{}, f.fault()
	}
	satisfaction := f.count("satisfaction", s.GetSatisfaction())
	if satisfaction > satisfactionMax {
		f.fail("satisfaction", "must be at most %d, is %d", satisfactionMax, satisfaction)
	}
	return interaction{
		record:          rec,
		customerID:      f.ref("customer_id", s.GetCustomerId()),
		kind:            s.GetKind(),
		channel:         s.GetChannel(),
		openedTime:      *opened,
		businessDate:    f.businessDay("business_date", s.GetBusinessDate()),
		managerID:       f.ref("manager_id", s.GetManagerId()),
		accountID:       f.ref("account_id", s.GetAccountId()),
		outcome:         s.GetOutcome(),
		durationSeconds: f.count("duration_seconds", s.GetDurationSeconds()),
		topic:           s.GetTopic(),
		priority:        s.GetPriority(),
		firstAnswerTime: f.time("first_answer_time", s.GetFirstAnswerTime()),
		resolvedTime:    f.time("resolved_time", s.GetResolvedTime()),
		dueTime:         f.time("due_time", s.GetDueTime()),
		satisfaction:    uint8(satisfaction), //nolint:gosec // at most 5
	}, f.fault()
}
