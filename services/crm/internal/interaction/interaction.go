// Package interaction is the history of contacts with customers.
package interaction

import (
	"time"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
	"tandem.bank/services/crm/internal/sight"
)

// Row is an interaction as Postgres keeps it.
type Row struct {
	CustomerID      *int64     `json:"customer_id"`
	Kind            string     `json:"kind"`
	Channel         string     `json:"channel"`
	OpenedAt        *time.Time `json:"opened_at"`
	ManagerID       *int64     `json:"manager_id"`
	AccountID       *int64     `json:"account_id"`
	Subject         string     `json:"subject"`
	Text            string     `json:"text"`
	Outcome         string     `json:"outcome"`
	DurationSeconds int32      `json:"duration_seconds"`
	Topic           string     `json:"topic"`
	Priority        string     `json:"priority"`
	FirstAnswerAt   *time.Time `json:"first_answer_at"`
	ResolvedAt      *time.Time `json:"resolved_at"`
	DueAt           *time.Time `json:"due_at"`
	Satisfaction    int32      `json:"satisfaction"`

	Participants     []Participant `json:"participants"`
	ContractID       *int64        `json:"contract_id"`
	CardID           *int64        `json:"card_id"`
	Campaign         string        `json:"campaign"`
	Place            string        `json:"place"`
	Latitude         *float64      `json:"latitude"`
	Longitude        *float64      `json:"longitude"`
	Documents        []string      `json:"documents"`
	Class            string        `json:"class"`
	ServiceLevelID   *int64        `json:"service_level_id"`
	FirstAnswerDueAt *time.Time    `json:"first_answer_due_at"`
	ReopenedCount    int32         `json:"reopened_count"`
	ReopenedAt       *time.Time    `json:"reopened_at"`
	RatedAt          *time.Time    `json:"rated_at"`
}

// Table keeps interactions; other rooms refer to it. Those in which a customer only took part are among his own, to be read.
var Table = record.NewTable[Row]("interaction", own, tookPart)

// own are interactions with customers who are seen: only these may be written.
var own = sight.ByCustomer("interaction.customer_id")

// tookPart are interactions in which customers who are seen took part. It is asked of each interaction by an index, as the
// offset has it: beside an OR, Postgres would first work out everybody's participations.
func tookPart(rows sight.Rows, bind sight.Bind) string {
	return "EXISTS (SELECT FROM interaction_participant part WHERE part.interaction_id = interaction.interaction_id" +
		" AND part.party = '" + partyCustomer + "' AND " + sight.ByCustomer("part.party_id")(rows, bind) + " OFFSET 0)"
}

var (
	kindComplaint  = record.EnumText(crmv1.InteractionKind_INTERACTION_KIND_COMPLAINT)
	kindRequest    = record.EnumText(crmv1.InteractionKind_INTERACTION_KIND_REQUEST)
	priorityNormal = record.EnumText(crmv1.Priority_PRIORITY_NORMAL)
)

// isCase says whether an interaction is to be answered and resolved: a complaint or a request.
func (r *Row) isCase() bool { return r.Kind == kindComplaint || r.Kind == kindRequest }

// checkCase keeps the life of a case in order, and away from interactions that are none.
func (r *Row) checkCase(in *record.Reader) {
	times := []struct {
		field string
		at    *time.Time
	}{
		{"first_answer_time", r.FirstAnswerAt},
		{"resolved_time", r.ResolvedAt},
		{"due_time", r.DueAt},
		{"first_answer_due_time", r.FirstAnswerDueAt},
	}
	for _, t := range times {
		switch {
		case t.at == nil:
		case !r.isCase():
			in.Refuse(t.field, "is only for complaints and requests")
		case r.OpenedAt != nil && t.at.Before(*r.OpenedAt):
			in.Refuse(t.field, "must not be before opened_time")
		}
	}
	if r.Priority != "" && !r.isCase() {
		in.Refuse("priority", "is only for complaints and requests")
	}
	if r.Class != "" && !r.isCase() {
		in.Refuse("class", "is only for complaints and requests")
	}
}

// change keeps what an interaction is: another customer, kind or time would be another interaction. A case without a
// priority keeps the one it has, a new one becomes normal.
func change(old, updated *Row) error {
	broken := updated.checkParticipants()
	if old == nil {
		if updated.Priority == "" && updated.isCase() {
			updated.Priority = priorityNormal
		}
		return apperr.Invalid(broken...)
	}
	immutable := func(field string, same bool) {
		if !same {
			broken = append(broken, apperr.Violation{Field: field, Description: "can't change"})
		}
	}
	immutable("customer_id", *old.CustomerID == *updated.CustomerID)
	immutable("kind", old.Kind == updated.Kind)
	immutable("opened_time", old.OpenedAt.Equal(*updated.OpenedAt))
	if updated.Priority == "" {
		updated.Priority = old.Priority
	}
	// What only named steps write stays.
	updated.ReopenedCount, updated.ReopenedAt, updated.RatedAt = old.ReopenedCount, old.ReopenedAt, old.RatedAt
	return apperr.Invalid(broken...)
}

var (
	stateOpen     = record.EnumText(crmv1.CaseState_CASE_STATE_OPEN)
	stateAnswered = record.EnumText(crmv1.CaseState_CASE_STATE_ANSWERED)
	stateResolved = record.EnumText(crmv1.CaseState_CASE_STATE_RESOLVED)
)

// caseState is how far a case has come; empty when it is none.
func (r *Row) caseState() string {
	switch {
	case !r.isCase():
		return ""
	case r.ResolvedAt != nil:
		return stateResolved
	case r.FirstAnswerAt != nil:
		return stateAnswered
	default:
		return stateOpen
	}
}

// breached says whether the service level was missed by now: what was due came later, or has not come.
func (r *Row) breached(now time.Time) bool {
	late := func(due, done *time.Time) bool {
		if done == nil {
			done = &now
		}
		return due != nil && due.Before(*done)
	}
	return late(r.FirstAnswerDueAt, r.FirstAnswerAt) || late(r.DueAt, r.ResolvedAt)
}
