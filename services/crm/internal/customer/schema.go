package customer

import (
	"fmt"

	"tandem.bank/pkg/filter"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
)

// Schema is what customers can be filtered by, in lists and in searches.
var Schema = filter.Schema{
	{Name: "customer_id", Column: "customer_id", Kind: filter.Int, Required: true, Indexed: true},
	{Name: "key.source", Column: "source", Kind: filter.Text},
	{Name: "key.external_id", Column: "external_id", Kind: filter.Text},
	{Name: "kind", Column: "kind", Kind: filter.Enum, Values: []string{KindIndividual, KindOrganisation}, Required: true},
	{Name: "state", Column: "state", Kind: filter.Enum, Values: record.EnumTexts[crmv1.CustomerState](), Required: true},
	{Name: "state_reason", Column: "state_reason", Kind: filter.Enum, Values: record.EnumTexts[crmv1.CustomerStateReason]()},
	{Name: "state_since", Column: "state_since", Kind: filter.Date},
	{Name: "state_note", Column: "state_note", Kind: filter.Text},
	{Name: "region_id", Column: "region_id", Kind: filter.Int},
	{Name: "branch_id", Column: "branch_id", Kind: filter.Int},
	{Name: "manager_id", Column: "manager_id", Kind: filter.Int},
	{Name: "phone", Column: "phone", Kind: filter.Text},
	{Name: "email", Column: "lower(email)", Kind: filter.Text, Fold: true},
	related("phones", "phones.number", ownAnd("phone", "phone", identifierPhone), false),
	related("emails", "emails.address", ownAnd("email", "lower(email)", identifierEmail), true),
	{Name: "addresses.country", Column: "a.address->>'country'", Kind: filter.Text, Related: addresses},
	{Name: "addresses.postal_code", Column: "a.address->>'postal_code'", Kind: filter.Text, Related: addresses},
	{Name: "addresses.city", Column: "a.address->>'city'", Kind: filter.Text, Related: addresses},
	{Name: "addresses.street", Column: "a.address->>'street'", Kind: filter.Text, Related: addresses},
	{Name: "addresses.latitude", Column: "(a.address->>'latitude')::numeric", Kind: filter.Decimal, Related: addresses},
	{Name: "addresses.longitude", Column: "(a.address->>'longitude')::numeric", Kind: filter.Decimal, Related: addresses},
	{Name: "addresses.label", Column: "a.label", Kind: filter.Text, Related: addresses},
	{Name: "tax_ids.number", Column: "i.value", Kind: filter.Text, Fold: true, Required: true, Related: taxIDsOf},
	{Name: "tax_ids.country", Column: "i.element->>'country'", Kind: filter.Text, Related: taxIDsOf},
	{Name: "identity_documents.number", Column: "i.value", Kind: filter.Text, Fold: true, Required: true, Related: documentsOf},
	{
		Name: "identity_documents.type", Column: "i.element->>'type'", Kind: filter.Enum,
		Values: record.EnumTexts[crmv1.IdentityDocumentType](), Related: documentsOf,
	},
	{Name: "identity_documents.issuing_country", Column: "i.element->>'issuing_country'", Kind: filter.Text, Related: documentsOf},
	{Name: "identity_documents.issuer", Column: "i.element->>'issuer'", Kind: filter.Text, Related: documentsOf},
	{Name: "identity_documents.issued", Column: "(i.element->>'issued')::date", Kind: filter.Date, Related: documentsOf},
	{Name: "identity_documents.expires", Column: "(i.element->>'expires')::date", Kind: filter.Date, Related: documentsOf},
	{Name: "preferred_channel", Column: "preferred_channel", Kind: filter.Enum, Values: record.EnumTexts[crmv1.Channel]()},
	{Name: "preferred_language", Column: "preferred_language", Kind: filter.Text},
	{Name: "other_banks", Column: "jsonb_path_query_array(other_banks, '$[*].bank')", Kind: filter.Text, Repeated: filter.JSONArray},
	{
		Name: "other_banks.product_family", Column: "jsonb_path_query_array(other_banks, '$[*].product_family')", Kind: filter.Enum,
		Values: record.EnumTexts[crmv1.ProductFamily](), Repeated: filter.JSONArray,
	},
	{Name: "customer_since", Column: "customer_since", Kind: filter.Date},
	{Name: "individual.given_name", Column: "given_name", Kind: filter.Text},
	{Name: "individual.middle_name", Column: "middle_name", Kind: filter.Text},
	{Name: "individual.family_name", Column: "family_name", Kind: filter.Text, Indexed: true},
	{Name: "individual.given_name_latin", Column: "given_name_latin", Kind: filter.Text},
	{Name: "individual.middle_name_latin", Column: "middle_name_latin", Kind: filter.Text},
	{Name: "individual.family_name_latin", Column: "family_name_latin", Kind: filter.Text},
	{Name: "individual.birth_date", Column: "birth_date", Kind: filter.Date},
	{Name: "individual.sex", Column: "sex", Kind: filter.Enum, Values: record.EnumTexts[crmv1.Sex]()},
	{Name: "individual.citizenships", Column: "citizenships", Kind: filter.Text, Repeated: filter.Array},
	{Name: "individual.marital_status", Column: "marital_status", Kind: filter.Enum, Values: record.EnumTexts[crmv1.MaritalStatus]()},
	{Name: "individual.dependants", Column: "dependants", Kind: filter.Int},
	{Name: "individual.education_level", Column: "education_level", Kind: filter.Enum, Values: record.EnumTexts[crmv1.EducationLevel]()},
	{Name: "individual.occupation", Column: "occupation", Kind: filter.Text},
	{Name: "individual.employer_name", Column: "employer_name", Kind: filter.Text},
	{Name: "individual.employer_id", Column: "employer_id", Kind: filter.Int},
	{Name: "individual.position", Column: "position", Kind: filter.Text},
	{Name: "individual.employed_since", Column: "employed_since", Kind: filter.Date},
	{Name: "individual.monthly_income", Column: "monthly_income", Kind: filter.Decimal},
	{Name: "individual.income_source", Column: "income_source", Kind: filter.Enum, Values: record.EnumTexts[crmv1.IncomeSource]()},
	{Name: "individual.income_verified_on", Column: "income_verified_on", Kind: filter.Date},
	{Name: "individual.income_proof", Column: "income_proof", Kind: filter.Enum, Values: record.EnumTexts[crmv1.IncomeProof]()},
	{Name: "individual.interests", Column: "interests", Kind: filter.Text, Repeated: filter.Array},
	{Name: "organisation.legal_name", Column: "legal_name", Kind: filter.Text, Indexed: true},
	{Name: "organisation.legal_name_latin", Column: "legal_name_latin", Kind: filter.Text},
	{Name: "organisation.trade_names", Column: "trade_names", Kind: filter.Text, Repeated: filter.Array},
	{Name: "organisation.legal_form", Column: "legal_form", Kind: filter.Text},
	{Name: "organisation.registration_number", Column: "registration_number", Kind: filter.Text},
	{Name: "organisation.industry_nace", Column: "industry_nace", Kind: filter.Text},
	{Name: "organisation.employees", Column: "employees", Kind: filter.Int},
	{Name: "organisation.annual_turnover", Column: "annual_turnover", Kind: filter.Decimal},
	{Name: "organisation.founded", Column: "founded", Kind: filter.Date},
	{Name: "create_time", Column: "created_at", Kind: filter.Time, Required: true, Indexed: true},
	{Name: "update_time", Column: "updated_at", Kind: filter.Time, Required: true},
}

// addresses are those among the contact points.
var addresses = &filter.Related{
	Name: "addresses", Key: "a.customer_id", Of: "customer.customer_id",
	From: "(SELECT customer_id, point->'address' AS address, point->>'label' AS label FROM customer, jsonb_array_elements(contact_points) AS point" +
		" WHERE point->>'kind' = '" + contactAddress + "') a",
}

// What proves who a customer is. Both are found by their numbers, which have an index.
var (
	taxIDsOf    = &filter.Related{Name: "tax_ids", From: identified(identifierTaxID, "tax_ids"), Key: "i.customer_id", Of: "customer.customer_id"}
	documentsOf = &filter.Related{
		Name: "identity_documents", From: identified(identifierDocument, "identity_documents"), Key: "i.customer_id", Of: "customer.customer_id",
	}
)

// identified selects the identifiers of a kind, with the elements of the column that they stand in. Postgres and Go write a few
// letters differently in lower case: such a number has no element here, and is found all the same.
func identified(kind, column string) string {
	return "(SELECT i.customer_id, i.value, element FROM customer_identifier i JOIN customer c ON c.customer_id = i.customer_id" +
		" LEFT JOIN jsonb_array_elements(c." + column + ") AS element ON lower(element->>'number') = i.value WHERE i.kind = '" + kind + "') i"
}

// related is a field of what customers have any number of and are looked up by.
func related(group, name, from string, fold bool) filter.Field {
	return filter.Field{Name: name, Column: "i.value", Kind: filter.Text, Fold: fold, Required: true, Related: &filter.Related{
		Name: group, From: "(" + from + ") i", Key: "i.customer_id", Of: "customer.customer_id",
	}}
}

// ofKind selects the identifiers of a kind.
func ofKind(kind string) string {
	return "SELECT customer_id, value FROM customer_identifier WHERE kind = '" + kind + "'"
}

// ownAnd adds what stands with the customer to the identifiers of a kind.
func ownAnd(column, expression, kind string) string {
	return fmt.Sprintf("SELECT customer_id, %s AS value FROM customer WHERE %s <> '' UNION ALL %s", expression, column, ofKind(kind))
}
