package search

import "tandem.bank/services/crm/internal/sight"

// shownAs are the fields of the API that identifiers are found by: who does not see them in full finds nobody by them.
var shownAs = map[string][]string{
	"organisation.registration_number": {"Organisation.registration_number"},
	"email":                            {"Customer.email"},
	"phone":                            {"Customer.phone"},
	"account.number":                   {"Account.number"},
	"card.last4":                       {"Card.last4"},
	// The main phone and e-mail stand among the contact points too.
	fieldContact:  {"Customer.contact_points", "Customer.phone", "Customer.email"},
	fieldTaxID:    {"Individual.tax_id", "Organisation.tax_ids"},
	fieldDocument: {"Individual.identity_documents"},
}

// showsNames says whether customers may be found by their names. Words of all names stand together, so all must be seen.
func showsNames(s *sight.Sight) bool {
	return s.Shows("Individual.given_name", "Individual.family_name", "Individual.middle_name",
		"Individual.given_name_latin", "Individual.family_name_latin", "Individual.middle_name_latin",
		"Organisation.legal_name", "Organisation.legal_name_latin", "Organisation.trade_names")
}

// showsAttributes says whether customers may be found by what the bank itself wants to know of them.
func showsAttributes(s *sight.Sight) bool { return s.Shows("Customer.attributes") }

// marks are the marks of the words that the caller may find by.
func marks(s *sight.Sight) []string {
	var out []string
	if showsNames(s) {
		out = append(out, "")
	}
	if showsAttributes(s) {
		out = append(out, attributeMark)
	}
	return out
}
