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
	participants                           participants
	contractID, cardID, serviceLevelID     uint64
	campaign, class                        string
	firstAnswerDueTime                     *time.Time
	reopenedCount                          uint32
	reopenedTime, ratedTime                *time.Time
	breached                               uint8
}

// participants are three lists of one length.
type participants struct {
	customerIDs, managerIDs []uint64
	roles                   []string
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
		warehouse.Col("participant_customer_ids", func(r *interaction) []uint64 { return r.participants.customerIDs }),
		warehouse.Col("participant_manager_ids", func(r *interaction) []uint64 { return r.participants.managerIDs }),
		warehouse.Col("participant_roles", func(r *interaction) []string { return r.participants.roles }),
		warehouse.Col("contract_id", func(r *interaction) uint64 { return r.contractID }),
		warehouse.Col("card_id", func(r *interaction) uint64 { return r.cardID }),
		warehouse.Col("campaign", func(r *interaction) string { return r.campaign }),
		warehouse.Col("class", func(r *interaction) string { return r.class }),
		warehouse.Col("first_answer_due_time", func(r *interaction) *time.Time { return r.firstAnswerDueTime }),
		warehouse.Col("service_level_id", func(r *interaction) uint64 { return r.serviceLevelID }),
		warehouse.Col("reopened_count", func(r *interaction) uint32 { return r.reopenedCount }),
		warehouse.Col("reopened_time", func(r *interaction) *time.Time { return r.reopenedTime }),
		warehouse.Col("rated_time", func(r *interaction) *time.Time { return r.ratedTime }),
		warehouse.Col("breached", func(r *interaction) uint8 { return r.breached }),
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
	row := interaction{
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
		participants:    participantsOf(&f, s.GetParticipants()),

		contractID:         f.ref("contract_id", s.GetContractId()),
		cardID:             f.ref("card_id", s.GetCardId()),
		serviceLevelID:     f.ref("service_level_id", s.GetServiceLevelId()),
		campaign:           s.GetCampaign(),
		class:              s.GetClass(),
		firstAnswerDueTime: f.time("first_answer_due_time", s.GetFirstAnswerDueTime()),
		reopenedCount:      f.count("reopened_count", s.GetReopenedCount()),
		reopenedTime:       f.time("reopened_time", s.GetReopenedTime()),
		ratedTime:          f.time("rated_time", s.GetRatedTime()),
	}
	if s.GetBreached() {
		row.breached = 1
	}
	return row, f.fault()
}

// participantsOf keeps customers and managers as they come; lists are empty and not missing when nobody took part.
func participantsOf(f *fields, list []*eventsv1.InteractionParticipant) participants {
	p := participants{customerIDs: []uint64{}, managerIDs: []uint64{}, roles: []string{}}
	for _, one := range list {
		p.customerIDs = append(p.customerIDs, f.ref("participants.customer_id", one.GetCustomerId()))
		p.managerIDs = append(p.managerIDs, f.ref("participants.manager_id", one.GetManagerId()))
		p.roles = append(p.roles, one.GetRole())
	}
	return p
}
