package contract

import (
	"tandem.bank/pkg/filter"
	"tandem.bank/services/crm/internal/account"
)

// OfCustomer are the contracts of the accounts that a customer owns today, for lists of customers.
var OfCustomer = schema.Of(owned, "c", "contract_id", "kind", "state", "account_id", "product_id", "amount", "instalment", "currency",
	"duration_months", "opened", "closed", "purpose")

var owned = &filter.Related{
	Name: "contracts", Key: "c.owner_id", Of: "customer.customer_id",
	From: "(SELECT owner_id, contract.* FROM contract JOIN (" + account.Owners + ") o ON owned_id = account_id) c",
}
