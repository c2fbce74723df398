package contract

import (
	"slices"

	"tandem.bank/pkg/filter"
	"tandem.bank/services/crm/internal/account"
)

// OfCustomer are the contracts of the accounts that a customer owns today, for lists of customers.
var OfCustomer = schema.Of(owned, "c", "contract_id", "kind", "state", "account_id", "product_id", "amount", "instalment", "currency",
	"duration_months", "opened", "closed", "purpose")

// OfAccount are the contracts of an account, for lists of accounts.
var OfAccount = schema.Of(&filter.Related{Name: "contracts", From: "contract c", Key: "c.account_id", Of: "account.account_id"}, "c",
	"contract_id", "kind", "state", "product_id", "amount", "instalment", "currency", "duration_months", "opened", "closed", "purpose")

// listed is what contracts are listed by: their own fields, their parties and their instalments.
var listed = slices.Concat(schema,
	partySchema.Of(&filter.Related{
		Name: "contract_parties", From: "contract_party p", Key: "p.contract_id", Of: "contract.contract_id",
	}, "p", "contract_party_id", "customer_id", "role", "share", "valid_from", "valid_to"),
	instalmentSchema.Of(&filter.Related{
		Name: "instalments", From: "instalment i", Key: "i.contract_id", Of: "contract.contract_id",
	}, "i", "instalment_id", "number", "due", "principal", "interest", "fee", "paid", "paid_on", "outstanding", "state"))

var owned = &filter.Related{
	Name: "contracts", Key: "c.owner_id", Of: "customer.customer_id",
	From: "(SELECT owner_id, contract.* FROM contract JOIN (" + account.Owners + ") o ON owned_id = account_id) c",
}
