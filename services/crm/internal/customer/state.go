package customer

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/date"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/outbox"
	"tandem.bank/services/crm/internal/record"
	"tandem.bank/services/crm/internal/request"
)

var (
	stateProspect = record.EnumText(crmv1.CustomerState_CUSTOMER_STATE_PROSPECT)
	stateActive   = record.EnumText(crmv1.CustomerState_CUSTOMER_STATE_ACTIVE)
	stateFormer   = record.EnumText(crmv1.CustomerState_CUSTOMER_STATE_FORMER)
	reasonOther   = record.EnumText(crmv1.CustomerStateReason_CUSTOMER_STATE_REASON_OTHER)
)

// states are the steps of a customer. Who was served once is former, never a prospect, until courted again.
var states = record.StateMachine{
	{Name: "activate", From: stateProspect, To: stateActive},
	{Name: "drop", From: stateProspect, To: stateFormer},
	{Name: "end", From: stateActive, To: stateFormer},
	{Name: "return", From: stateFormer, To: stateActive},
	{Name: "court", From: stateFormer, To: stateProspect},
}

// step takes a customer to the state that the message names. A message without a state leaves it as it is, with its
// reason: a file that knows no states must not bring former customers back.
func (r *Row) step(old *Row, now time.Time) error {
	if old == nil {
		if r.State == "" {
			r.State = stateActive
		}
		if !r.StateSince.Valid && (r.StateReason != "" || r.StateNote != "") {
			r.StateSince = today(now)
		}
		return r.checkReason()
	}
	if r.State == "" || r.State == old.State {
		r.State = old.State
		if r.StateReason == "" && r.StateNote == "" && !r.StateSince.Valid {
			r.StateReason, r.StateNote, r.StateSince = old.StateReason, old.StateNote, old.StateSince
		}
		return r.checkReason()
	}
	if err := states.Check("state", old.State, r.State); err != nil {
		return err
	}
	if !r.StateSince.Valid {
		r.StateSince = today(now)
	}
	if old.StateSince.Valid && r.StateSince.Time.Before(old.StateSince.Time) {
		return apperr.InvalidField("state_since", "must not be before %s, when the present state began", date.Text(old.StateSince.Time))
	}
	return r.checkReason()
}

func (r *Row) checkReason() error {
	if r.StateReason == reasonOther && r.StateNote == "" {
		return apperr.InvalidField("state_note", "is required for another reason")
	}
	return nil
}

// today is the day of the bank's calendar.
func today(now time.Time) pgtype.Date {
	year, month, day := now.Date()
	return pgtype.Date{Time: time.Date(year, month, day, 0, 0, 0, 0, time.UTC), Valid: true}
}

func sameDay(a, b pgtype.Date) bool { return a.Valid == b.Valid && (!a.Valid || a.Time.Equal(b.Time)) }

// stateChanged says whether a change belongs into the history: of a new customer, when something is told of the state.
func (r *Row) stateChanged(old *Row) bool {
	if old == nil {
		return r.StateReason != "" || r.StateNote != "" || r.StateSince.Valid
	}
	told := r.StateReason != old.StateReason || r.StateNote != old.StateNote
	return told || r.State != old.State || !sameDay(r.StateSince, old.StateSince)
}

func transition(from, to string) string {
	i := slices.IndexFunc(states, func(t record.Transition) bool { return t.From == from && t.To == to })
	if i < 0 {
		return ""
	}
	return states[i].Name
}

// keepStateChanges keeps the history of states.
func keepStateChanges(ctx context.Context, tx pgx.Tx, records []*record.Record[Row], old []*Row) error {
	var ids []int64
	var from, to, names, reasons, notes []string
	var since []pgtype.Date
	for i, r := range records {
		if !r.Row.stateChanged(old[i]) {
			continue
		}
		before := ""
		if old[i] != nil {
			before = old[i].State
		}
		ids, from, to = append(ids, r.ID), append(from, before), append(to, r.Row.State)
		names, reasons = append(names, transition(before, r.Row.State)), append(reasons, r.Row.StateReason)
		notes, since = append(notes, r.Row.StateNote), append(since, r.Row.StateSince)
	}
	if len(ids) == 0 {
		return nil
	}
	return request.Later(ctx, tx, nil, `INSERT INTO customer_state_change
    (customer_id, from_state, to_state, transition, reason, note, effective_on, actor)
SELECT *, $8 FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::date[])`,
		ids, from, to, names, reasons, notes, since, outbox.Actor(ctx))
}
