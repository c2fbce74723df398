package mapping

import (
	"slices"

	"google.golang.org/protobuf/proto"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// Entity is a kind of record that an import can load.
type Entity string

// The entities. Their order in Entities is the order of loading.
const (
	Region        Entity = "region"
	Branch        Entity = "branch"
	Manager       Entity = "manager"
	Product       Entity = "product"
	Customer      Entity = "customer"
	Consent       Entity = "consent"
	Relation      Entity = "relation"
	Account       Entity = "account"
	AccountHolder Entity = "account_holder"
	Card          Entity = "card"
	Contract      Entity = "contract"
	Interaction   Entity = "interaction"
	Transaction   Entity = "transaction"
)

// Entities lists all entities so that each stands after those it refers to.
var Entities = []Entity{
	Region, Branch, Manager, Product, Customer, Consent, Relation, Account, AccountHolder, Card, Contract, Interaction, Transaction,
}

// New returns an empty record of the entity, or nil for an unknown entity.
func (e Entity) New() proto.Message {
	switch e {
	case Region:
		return &crmv1.Region{}
	case Branch:
		return &crmv1.Branch{}
	case Manager:
		return &crmv1.Manager{}
	case Product:
		return &crmv1.Product{}
	case Customer:
		return &crmv1.Customer{}
	case Consent:
		return &crmv1.Consent{}
	case Relation:
		return &crmv1.Relation{}
	case Account:
		return &crmv1.Account{}
	case AccountHolder:
		return &crmv1.AccountHolder{}
	case Card:
		return &crmv1.Card{}
	case Contract:
		return &crmv1.Contract{}
	case Interaction:
		return &crmv1.Interaction{}
	case Transaction:
		return &crmv1.Transaction{}
	default:
		return nil
	}
}

// Order is the entity's place in the order of loading.
func (e Entity) Order() int { return slices.Index(Entities, e) }

// outputOnly tells the fields that only Tandem sets: mapping them would be a mistake that goes unnoticed, because the
// service passes over them.
func (e Entity) outputOnly(field string) bool {
	switch field {
	case string(e) + "_id", "etag", "create_time", "update_time":
		return true
	case "ledger_balance", "balance_date":
		return e == Account
	default:
		return false
	}
}

func entityNames() []string {
	names := make([]string, len(Entities))
	for i, e := range Entities {
		names[i] = string(e)
	}
	return names
}
