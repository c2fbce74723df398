package relation

import (
	"strings"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/customer"
	"tandem.bank/services/crm/internal/record"
)

// Types that have fields or rules of their own.
var (
	typeChild         = record.EnumText(crmv1.RelationType_RELATION_TYPE_CHILD)
	typeEmployer      = record.EnumText(crmv1.RelationType_RELATION_TYPE_EMPLOYER)
	typeDirector      = record.EnumText(crmv1.RelationType_RELATION_TYPE_DIRECTOR)
	typeShareholder   = record.EnumText(crmv1.RelationType_RELATION_TYPE_SHAREHOLDER)
	typeContactPerson = record.EnumText(crmv1.RelationType_RELATION_TYPE_CONTACT_PERSON)
	typeParentCompany = record.EnumText(crmv1.RelationType_RELATION_TYPE_PARENT_COMPANY)
)

// Kinds of party that a type asks for.
const (
	person       = customer.KindIndividual
	organisation = customer.KindOrganisation
	anybody      = ""
)

// rule is what a type of relation asks for.
type rule struct {
	// customer and other are the kinds of the parties.
	customer, other string
	// inverse is what the customer is to other; empty for a symmetric type.
	inverse string
	// informal types stand on no document unless the message says so.
	informal bool
}

// rules of every type. The table's constraint on duplicates names the symmetric ones too.
var rules = map[string]rule{
	"spouse":           {customer: person, other: person},
	"child":            {customer: person, other: person, inverse: "parent"},
	"sibling":          {customer: person, other: person},
	"relative":         {customer: person, other: person, informal: true},
	"guardian":         {customer: person, other: person, inverse: "ward"},
	"acquaintance":     {customer: person, other: person, informal: true},
	"guarantor":        {customer: anybody, other: anybody, inverse: "guaranteed"},
	"employer":         {customer: person, other: anybody, inverse: "employee"},
	"director":         {customer: organisation, other: person, inverse: "directed"},
	"shareholder":      {customer: organisation, other: anybody, inverse: "holding"},
	"parent_company":   {customer: organisation, other: organisation, inverse: "subsidiary"},
	"beneficial_owner": {customer: organisation, other: person, inverse: "owned"},
	"contact_person":   {customer: organisation, other: person, inverse: "contact of"},
	"representative":   {customer: anybody, other: person, inverse: "represented"},
	"business_partner": {customer: anybody, other: anybody},
}

func (r rule) formality() string {
	if r.informal {
		return record.EnumText(crmv1.Formality_FORMALITY_INFORMAL)
	}
	return record.EnumText(crmv1.Formality_FORMALITY_FORMAL)
}

// seenName is what the party at the far end is to the one at the near end.
func seenName(relationType string, inverse bool) string {
	if r := rules[relationType]; inverse && r.inverse != "" {
		return r.inverse
	}
	return strings.ReplaceAll(relationType, "_", " ")
}
