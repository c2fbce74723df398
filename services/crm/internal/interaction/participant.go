package interaction

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/branch"
	"tandem.bank/services/crm/internal/customer"
	"tandem.bank/services/crm/internal/outbox"
	"tandem.bank/services/crm/internal/record"
)

// Participant is one who took part beside the customer and the manager: a customer, an employee, or somebody known by name.
type Participant struct {
	CustomerID *int64 `json:"customer_id,omitempty"`
	ManagerID  *int64 `json:"manager_id,omitempty"`
	Name       string `json:"name,omitempty"`
	Role       string `json:"role,omitempty"`
}

// Parties of interaction_participant. Those who are known by name only have their place in the list as their id.
const (
	partyCustomer = "customer"
	partyManager  = "manager"
	partyName     = "name"
)

// TookPart are, in the history, the interactions of which a customer is or was until a later change a participant.
const TookPart = `SELECT interaction_id FROM interaction_participant WHERE party = 'customer' AND party_id = {about}
            UNION SELECT entity_id FROM audit_entry WHERE entity = 'interaction' AND action = 'update' AND at > {at}
                AND before->'participants' IS NOT NULL
                AND (before->'participants')::jsonb @> jsonb_build_array(jsonb_build_object('customer_id', {about}))`

// ParticipantsThen are the participants as they follow from interactions of then.
var ParticipantsThen = record.Following("interaction_participant",
	`SELECT 'customer' AS party, (p->>'customer_id')::bigint AS party_id, opened_at, interaction_id
    FROM interaction CROSS JOIN LATERAL jsonb_array_elements(participants) p WHERE p->>'customer_id' IS NOT NULL`)

// readParticipants reads the list; no participants are an empty list, not null.
func readParticipants(in *record.Reader, sent []*crmv1.Participant) ([]Participant, []record.Reference) {
	list := make([]Participant, len(sent))
	var refs []record.Reference
	for i, p := range sent {
		field := fmt.Sprintf("participants[%d]", i)
		list[i] = Participant{Name: p.GetName(), Role: record.EnumText(p.GetRole())}
		refs = append(refs,
			record.Ref(field+".customer_id", customer.Table, p.GetCustomerId(), p.GetCustomerKey(), &list[i].CustomerID),
			record.Ref(field+".manager_id", branch.ManagerTable, p.GetManagerId(), p.GetManagerKey(), &list[i].ManagerID))
		if named(list[i].CustomerID != nil, list[i].ManagerID != nil, p.GetName() != "") != 1 {
			in.Refuse(field, "must be exactly one of a customer, a manager and a name")
		}
	}
	return list, refs
}

func named(is ...bool) (n int) {
	for _, b := range is {
		if b {
			n++
		}
	}
	return n
}

// checkParticipants refuses somebody who comes twice, when it is known who everybody is.
func (r *Row) checkParticipants() []apperr.Violation {
	seen := map[string]bool{
		fmt.Sprint(partyCustomer, record.Value(r.CustomerID)): true,
		fmt.Sprint(partyManager, record.Value(r.ManagerID)):   true,
	}
	var broken []apperr.Violation
	for i, p := range r.Participants {
		who := p.Name
		switch {
		case p.CustomerID != nil:
			who = fmt.Sprint(partyCustomer, *p.CustomerID)
		case p.ManagerID != nil:
			who = fmt.Sprint(partyManager, *p.ManagerID)
		}
		if seen[who] {
			broken = append(broken, apperr.Violation{Field: fmt.Sprintf("participants[%d]", i), Description: "takes part already"})
		}
		seen[who] = true
	}
	return broken
}

// listParticipants keeps the table of who took part in step with interactions that were written. A new interaction
// without participants, before and after, costs nothing.
func listParticipants(ctx context.Context, tx pgx.Tx, records []*record.Record[Row], old []*Row) error {
	var changed []int64
	batch := &pgx.Batch{}
	for i, r := range records {
		if old[i] != nil && len(old[i].Participants) > 0 {
			changed = append(changed, r.ID)
		}
	}
	if len(changed) > 0 {
		batch.Queue("DELETE FROM interaction_participant WHERE interaction_id = ANY($1)", changed)
	}
	queueParticipants(batch, records)
	if batch.Len() == 0 {
		return nil
	}
	return outbox.Send(ctx, tx, batch)
}

func queueParticipants(batch *pgx.Batch, records []*record.Record[Row]) {
	var parties, names, roles []string
	var partyIDs, interactionIDs []int64
	for _, r := range records {
		for i, p := range r.Row.Participants {
			party, id := p.party(i)
			parties, partyIDs, names, roles = append(parties, party), append(partyIDs, id), append(names, p.Name), append(roles, p.Role)
			interactionIDs = append(interactionIDs, r.ID)
		}
	}
	if len(parties) > 0 {
		batch.Queue(`INSERT INTO interaction_participant (party, party_id, opened_at, interaction_id, name, role)
SELECT p.party, p.party_id, i.opened_at, p.interaction_id, p.name, p.role
FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::text[]) AS p (party, party_id, interaction_id, name, role)
JOIN interaction i USING (interaction_id)
ON CONFLICT DO NOTHING`, parties, partyIDs, interactionIDs, names, roles)
	}
}

// party is how the table of participants calls the one who stands at a place in the list, from 0.
func (p *Participant) party(place int) (party string, id int64) {
	switch {
	case p.CustomerID != nil:
		return partyCustomer, *p.CustomerID
	case p.ManagerID != nil:
		return partyManager, *p.ManagerID
	}
	return partyName, int64(place) + 1
}

func participantsProto(list []Participant) []*crmv1.Participant {
	out := make([]*crmv1.Participant, len(list))
	for i, p := range list {
		out[i] = &crmv1.Participant{
			CustomerId: record.Value(p.CustomerID), ManagerId: record.Value(p.ManagerID), Name: p.Name,
			Role: record.EnumValue[crmv1.ParticipantRole](p.Role),
		}
	}
	return out
}

// participantsEvent leaves out those who are known by name only.
func participantsEvent(list []Participant) []*eventsv1.InteractionParticipant {
	var out []*eventsv1.InteractionParticipant
	for _, p := range list {
		if p.CustomerID != nil || p.ManagerID != nil {
			out = append(out, &eventsv1.InteractionParticipant{
				CustomerId: record.Value(p.CustomerID), ManagerId: record.Value(p.ManagerID), Role: p.Role,
			})
		}
	}
	return out
}
