package interaction

import (
	"slices"

	"tandem.bank/pkg/filter"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
)

// OfCustomer are a customer's interactions, for lists of customers.
var OfCustomer = schema.Of(&filter.Related{Name: "interactions", From: "interaction i", Key: "i.customer_id", Of: "customer.customer_id"}, "i",
	"interaction_id", "kind", "channel", "opened_time", "manager_id", "account_id", "outcome", "topic", "priority", "resolved_time",
	"due_time", "satisfaction")

// participants stand in a table beside the interactions that have any.
var participants = &filter.Related{
	Name: "participants", From: "interaction_participant p", Key: "p.interaction_id", Of: "interaction.interaction_id",
}

// listed is what interactions are listed by: their own fields, and who took part beside the customer and the manager.
var listed = slices.Concat(schema, filter.Schema{
	{Name: "participants.customer_id", Column: "p.customer_id", Kind: filter.Int, Related: participants},
	{Name: "participants.manager_id", Column: "p.manager_id", Kind: filter.Int, Related: participants},
	{Name: "participants.name", Column: "p.name", Kind: filter.Text, Related: participants},
	{Name: "participants.role", Column: "p.role", Kind: filter.Enum, Values: record.EnumTexts[crmv1.ParticipantRole](), Related: participants},
})
