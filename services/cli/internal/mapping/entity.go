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
	Region              Entity = "region"
	Branch              Entity = "branch"
	Manager             Entity = "manager"
	Product             Entity = "product"
	ServiceLevel        Entity = "service_level"
	AttributeDefinition Entity = "attribute_definition"
	Customer            Entity = "customer"
	Consent             Entity = "consent"
	Relation            Entity = "relation"
	Account             Entity = "account"
	AccountHolder       Entity = "account_holder"
	Card                Entity = "card"
	Contract            Entity = "contract"
	ContractParty       Entity = "contract_party"
	Instalment          Entity = "instalment"
	Interaction         Entity = "interaction"
	Document            Entity = "document"
	Transaction         Entity = "transaction"
	AccountBalance      Entity = "account_balance"
	BehaviourEvent      Entity = "behaviour_event"
)

// Entities lists all entities so that each stands after those it refers to.
var Entities = []Entity{
	Region, Branch, Manager, Product, ServiceLevel, AttributeDefinition, Customer, Consent, Relation, Account, AccountHolder,
	Card, Contract, ContractParty, Instalment, Interaction, Document, Transaction, AccountBalance, BehaviourEvent,
}

// messages are the records of the entities.
var messages = map[Entity]proto.Message{
	Region:              (*crmv1.Region)(nil),
	Branch:              (*crmv1.Branch)(nil),
	Manager:             (*crmv1.Manager)(nil),
	Product:             (*crmv1.Product)(nil),
	ServiceLevel:        (*crmv1.ServiceLevel)(nil),
	AttributeDefinition: (*crmv1.AttributeDefinition)(nil),
	Customer:            (*crmv1.Customer)(nil),
	Consent:             (*crmv1.Consent)(nil),
	Relation:            (*crmv1.Relation)(nil),
	Account:             (*crmv1.Account)(nil),
	AccountHolder:       (*crmv1.AccountHolder)(nil),
	Card:                (*crmv1.Card)(nil),
	Contract:            (*crmv1.Contract)(nil),
	ContractParty:       (*crmv1.ContractParty)(nil),
	Instalment:          (*crmv1.Instalment)(nil),
	Interaction:         (*crmv1.Interaction)(nil),
	Document:            (*crmv1.Document)(nil),
	Transaction:         (*crmv1.Transaction)(nil),
	AccountBalance:      (*crmv1.AccountBalance)(nil),
	BehaviourEvent:      (*crmv1.BehaviourEvent)(nil),
}

// New returns an empty record of the entity, or nil for an unknown entity.
func (e Entity) New() proto.Message {
	message, ok := messages[e]
	if !ok {
		return nil
	}
	return message.ProtoReflect().New().Interface()
}

// Keyed says whether records of the entity have an external key. Those that have none are told apart by what they say: a
// balance by its account, its moment and its day.
func (e Entity) Keyed() bool { return e != AccountBalance }

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
	case "version":
		return e == AttributeDefinition
	case "service_level_id", "case_state", "breached", "reopened_count", "reopened_time", "rated_time":
		return e == Interaction
	case "days_past_due", "overdue_amount":
		return e == Contract
	case "outstanding":
		return e == Instalment
	case "state":
		return e == Product
	case "text_bytes":
		return e == Document
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
