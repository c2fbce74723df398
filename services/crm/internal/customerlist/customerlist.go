// Package customerlist is what customers, and their accounts, can be listed by: their own fields, and those of what belongs to
// them. Each room says what of its records such a list may ask for; here it comes together.
package customerlist

import (
	"slices"

	"tandem.bank/services/crm/internal/account"
	"tandem.bank/services/crm/internal/card"
	"tandem.bank/services/crm/internal/consent"
	"tandem.bank/services/crm/internal/contract"
	"tandem.bank/services/crm/internal/customer"
	"tandem.bank/services/crm/internal/document"
	"tandem.bank/services/crm/internal/insight"
	"tandem.bank/services/crm/internal/interaction"
	"tandem.bank/services/crm/internal/relation"
)

// Schema is for lists of customers and for searches among them.
var Schema = slices.Concat(customer.Schema, account.OfCustomer, card.OfCustomer, contract.OfCustomer, consent.OfCustomer,
	relation.OfCustomer, interaction.OfCustomer, document.OfCustomer, insight.OfCustomer)

// OfAccount is what lists of accounts ask of other rooms.
var OfAccount = slices.Concat(card.OfAccount, contract.OfAccount)
