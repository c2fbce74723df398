package consent

import "tandem.bank/pkg/filter"

// OfCustomer are a customer's consents, whether in force or not, for lists of customers.
var OfCustomer = schema.Of(&filter.Related{Name: "consents", From: "consent n", Key: "n.customer_id", Of: "customer.customer_id"}, "n",
	"consent_id", "purpose", "channel", "granted_time", "expires_time", "text_version", "granted_how", "withdrawn_time", "withdrawn_how")
