package card

import (
	"slices"

	"tandem.bank/pkg/filter"
	"tandem.bank/services/crm/internal/account"
)

// OfAccount are the cards of an account, for lists of accounts. They may be of another holder, so what is printed on them is
// left out.
var OfAccount = schema.Of(&filter.Related{Name: "cards", From: "card k", Key: "k.account_id", Of: "account.account_id"}, "k",
	"card_id", "scheme", "expiry", "state", "product_id", "issued")

// listed is what cards are listed by.
var listed = slices.Concat(schema, account.OfCard)

// OfCustomer are a customer's cards, for lists of customers.
var OfCustomer = schema.Of(&filter.Related{Name: "cards", From: "card k", Key: "k.customer_id", Of: "customer.customer_id"}, "k",
	"card_id", "token", "first6", "last4", "scheme", "expiry", "state", "account_id", "product_id", "issued")
