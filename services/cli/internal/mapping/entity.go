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
	ContractParty Entity = "contract_party"
	Instalment    Entity = "instalment"
	Interaction   Entity = "interaction"
	Transaction   Entity = "transaction"
)

// Entities lists all entities so that each stands after those it refers to.
var Entities = []Entity{
	Region, Branch, Manager, Product, Customer, Consent, Relation, Account, AccountHolder, Card, Contract,
	ContractParty, Instalment, Interaction, Transaction,
}

// samples has an empty record of each entity.
var samples = map[Entity]proto.Message{
	Region: &crmv1.Region{}, Branch: &crmv1.Branch{}, Manager: &crmv1.Manager{}, Product: &crmv1.Product{},
	Customer: &crmv1.Customer{}, Consent: &crmv1.Consent{}, Relation: &crmv1.Relation{},
	Account: &crmv1.Account{}, AccountHolder: &crmv1.AccountHolder{}, Card: &crmv1.Card{},
	Contract: &crmv1.Contract{}, ContractParty: &crmv1.ContractParty{}, Instalment: &crmv1.Instalment{},
	Interaction: &crmv1.Interaction{}, Transaction: &crmv1.Transaction{},
}

// New returns an empty record of the entity, or nil for an unknown entity.
func (e Entity) New() proto.Message {
	if known := samples[e]; known != nil {
		return known.ProtoReflect().New().Interface()
	}
	return nil
}

// Order is the entity's place in the order of loading.
func (e Entity) Order() int { return slices.Index(Entities, e) }

// outputOnly tells the fields that only Tandem sets: mapping them would be a mistake that goes unnoticed, because the
// service passes over them.
func (e Entity) outputOnly(field string) bool {
	switch field {
	case string(e) + "_id", "etag", "create_time", "update_time":
		return true
	case "ledger_balance", "balance_date", "available_balance", "held_amount", "balance_time":
		return e == Account
	case "days_past_due", "overdue_amount":
		return e == Contract
	case "outstanding":
		return e == Instalment
	case "state":
		return e == Product
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
