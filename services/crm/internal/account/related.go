package account

import "tandem.bank/pkg/filter"

// OfCustomer are the accounts that a customer holds today, for lists of customers.
var OfCustomer = append(schema.Of(held, "a", "account_id", "number", "currency", "product_id", "branch_id", "state", "opened", "closed",
	"ledger_balance", "balance_date"),
	filter.Field{Name: "accounts.role", Column: "a.held_role", Kind: filter.Enum, Values: holderSchema.Values("role"), Required: true, Related: held})

var held = &filter.Related{
	Name: "accounts", Key: "a.holder_id", Of: "customer.customer_id",
	From: "(SELECT customer_id AS holder_id, role AS held_role, account.* FROM account JOIN account_holder USING (account_id) WHERE " + current + ") a",
}
