package card

import "tandem.bank/pkg/filter"

// OfCustomer are a customer's cards, for lists of customers.
var OfCustomer = schema.Of(&filter.Related{Name: "cards", From: "card k", Key: "k.customer_id", Of: "customer.customer_id"}, "k",
	"card_id", "token", "first6", "last4", "scheme", "expiry", "state", "account_id", "product_id", "issued")
