package account

import (
	"slices"

	"tandem.bank/pkg/filter"
)

// OfCustomer are the accounts that a customer holds today, for lists of customers.
var OfCustomer = append(schema.Of(held, "a", "account_id", "number", "currency", "product_id", "branch_id", "state", "opened", "closed",
	"ledger_balance", "balance_date"),
	filter.Field{Name: "accounts.role", Column: "a.held_role", Kind: filter.Enum, Values: holderSchema.Values("role"), Required: true, Related: held})

// OfCard is the account of a card, for lists of cards.
var OfCard = schema.Of(&filter.Related{Name: "accounts", From: "account a", Key: "a.account_id", Of: "card.account_id", One: true}, "a",
	"state", "currency", "product_id", "branch_id", "opened", "closed")

// listed is what accounts are listed by: their own fields and their holders. It does not say who these are, for they may be
// customers of others: the accounts of a customer are listed by the customer.
var listed = slices.Concat(schema, holderSchema.Of(&filter.Related{
	Name: "account_holders", From: "account_holder h", Key: "h.account_id", Of: "account.account_id",
}, "h", "account_holder_id", "role", "valid_from", "valid_to"))

var held = &filter.Related{
	Name: "accounts", Key: "a.holder_id", Of: "customer.customer_id",
	From: "(SELECT customer_id AS holder_id, role AS held_role, account.* FROM account JOIN account_holder USING (account_id) WHERE " + current + ") a",
}
