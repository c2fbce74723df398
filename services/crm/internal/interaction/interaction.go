// Package interaction is the history of contacts with customers.
package interaction

import (
	"time"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/filter"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
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
}

// Table keeps interactions; other rooms refer to it.
var Table = record.NewTable[Row]("interaction")

var schema = filter.Schema{
	{Name: "interaction_id", Column: "interaction_id", Kind: filter.Int, Required: true, Indexed: true},
	{Name: "key.source", Column: "source", Kind: filter.Text},
	{Name: "key.external_id", Column: "external_id", Kind: filter.Text},
	{Name: "customer_id", Column: "customer_id", Kind: filter.Int, Required: true},
	{Name: "kind", Column: "kind", Kind: filter.Enum, Values: record.EnumTexts[crmv1.InteractionKind](), Required: true},
	{Name: "channel", Column: "channel", Kind: filter.Enum, Values: record.EnumTexts[crmv1.Channel]()},
	{Name: "opened_time", Column: "opened_at", Kind: filter.Time, Required: true, Indexed: true},
	{Name: "manager_id", Column: "manager_id", Kind: filter.Int},
	{Name: "account_id", Column: "account_id", Kind: filter.Int},
	{Name: "subject", Column: "subject", Kind: filter.Text},
	{Name: "text", Column: "text", Kind: filter.Text},
	{Name: "outcome", Column: "outcome", Kind: filter.Text},
	{Name: "duration_seconds", Column: "duration_seconds", Kind: filter.Int, Required: true},
	{Name: "topic", Column: "topic", Kind: filter.Text},
	{Name: "priority", Column: "priority", Kind: filter.Enum, Values: record.EnumTexts[crmv1.Priority]()},
	{Name: "first_answer_time", Column: "first_answer_at", Kind: filter.Time},
	{Name: "resolved_time", Column: "resolved_at", Kind: filter.Time},
	{Name: "due_time", Column: "due_at", Kind: filter.Time},
	{Name: "satisfaction", Column: "satisfaction", Kind: filter.Int, Required: true},
	{Name: "create_time", Column: "created_at", Kind: filter.Time, Required: true},
	{Name: "update_time", Column: "updated_at", Kind: filter.Time, Required: true},
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
	}{{"first_answer_time", r.FirstAnswerAt}, {"resolved_time", r.ResolvedAt}, {"due_time", r.DueAt}}
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
}

// change keeps what an interaction is: another customer, kind or time would be another interaction. A case without a
// priority keeps the one it has, a new one becomes normal.
func change(old, updated *Row) error {
	if old == nil {
		if updated.Priority == "" && updated.isCase() {
			updated.Priority = priorityNormal
		}
		return nil
	}
	var broken []apperr.Violation
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
	return apperr.Invalid(broken...)
}
