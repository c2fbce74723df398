package interaction

import "tandem.bank/pkg/filter"

// OfCustomer are a customer's interactions, for lists of customers.
var OfCustomer = schema.Of(&filter.Related{Name: "interactions", From: "interaction i", Key: "i.customer_id", Of: "customer.customer_id"}, "i",
	"interaction_id", "kind", "channel", "opened_time", "manager_id", "account_id", "outcome", "topic", "priority", "resolved_time",
	"due_time", "satisfaction")
