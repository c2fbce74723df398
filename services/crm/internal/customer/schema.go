package customer

import (
	"fmt"

	"tandem.bank/pkg/filter"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
)

// Schema is what customers can be filtered by, in lists and in searches.
var Schema = filter.Schema{
	{Name: "customer_id", Column: "customer_id", Kind: filter.Int},
	{Name: "key.source", Column: "source", Kind: filter.Text},
	{Name: "key.external_id", Column: "external_id", Kind: filter.Text},
	{Name: "kind", Column: "kind", Kind: filter.Enum, Values: []string{KindIndividual, KindOrganisation}},
	{Name: "state", Column: "state", Kind: filter.Enum, Values: record.EnumTexts[crmv1.CustomerState]()},
	{Name: "state_reason", Column: "state_reason", Kind: filter.Enum, Values: record.EnumTexts[crmv1.CustomerStateReason]()},
	{Name: "state_since", Column: "state_since", Kind: filter.Date},
	{Name: "region_id", Column: "region_id", Kind: filter.Int},
	{Name: "branch_id", Column: "branch_id", Kind: filter.Int},
	{Name: "manager_id", Column: "manager_id", Kind: filter.Int},
	{Name: "phone", Column: "phone", Kind: filter.Text},
	{Name: "email", Column: "lower(email)", Kind: filter.Text},
	identifier("contact_points.phone", identifierPhone, "c.phone = %[1]s AND c.phone <> ''"),
	identifier("contact_points.email", identifierEmail, "lower(c.email) = lower(%[1]s) AND c.email <> ''"),
	identifier("tax_id", identifierTaxID, ""),
	{Name: "preferred_channel", Column: "preferred_channel", Kind: filter.Enum, Values: record.EnumTexts[crmv1.Channel]()},
	{Name: "preferred_language", Column: "preferred_language", Kind: filter.Text},
	{
		Name: "other_banks.bank", Column: texts("SELECT value ->> 'bank' FROM jsonb_array_elements(other_banks)"), Kind: filter.Text,
		Equal: "other_banks @> jsonb_build_array(jsonb_build_object('bank', %s))",
	},
	{Name: "customer_since", Column: "customer_since", Kind: filter.Date},
	{Name: "individual.given_name", Column: "given_name", Kind: filter.Text},
	{Name: "individual.middle_name", Column: "middle_name", Kind: filter.Text},
	{Name: "individual.family_name", Column: "family_name", Kind: filter.Text},
	{Name: "individual.given_name_latin", Column: "given_name_latin", Kind: filter.Text},
	{Name: "individual.middle_name_latin", Column: "middle_name_latin", Kind: filter.Text},
	{Name: "individual.family_name_latin", Column: "family_name_latin", Kind: filter.Text},
	{Name: "individual.birth_date", Column: "birth_date", Kind: filter.Date},
	{Name: "individual.sex", Column: "sex", Kind: filter.Enum, Values: record.EnumTexts[crmv1.Sex]()},
	list("individual.citizenships", "citizenships"),
	identifier("individual.identity_documents.number", identifierDocument, ""),
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
	list("individual.interests", "interests"),
	{Name: "organisation.legal_name", Column: "legal_name", Kind: filter.Text},
	{Name: "organisation.legal_name_latin", Column: "legal_name_latin", Kind: filter.Text},
	list("organisation.trade_names", "trade_names"),
	{Name: "organisation.legal_form", Column: "legal_form", Kind: filter.Text},
	{Name: "organisation.registration_number", Column: "registration_number", Kind: filter.Text},
	{Name: "organisation.industry_nace", Column: "industry_nace", Kind: filter.Text},
	{Name: "organisation.employees", Column: "employees", Kind: filter.Int},
	{Name: "organisation.annual_turnover", Column: "annual_turnover", Kind: filter.Decimal},
	{Name: "organisation.founded", Column: "founded", Kind: filter.Date},
	{Name: "create_time", Column: "created_at", Kind: filter.Time},
	{Name: "update_time", Column: "updated_at", Kind: filter.Time},
}

// list is a field with any number of texts: = holds when one of them is equal.
func list(name, column string) filter.Field {
	return filter.Field{
		Name: name, Column: fmt.Sprintf("coalesce(array_to_string(%s, ', '), '')", column), Kind: filter.Text,
		Equal: column + " @> ARRAY[%s]",
	}
}

// texts joins what a query gives for a customer into one text.
func texts(query string) string {
	return fmt.Sprintf("coalesce(array_to_string(ARRAY(%s), ', '), '')", query)
}

// identifier is a field that customers are looked up by; of what stands in customer c itself, a condition tells.
func identifier(name, kind, inCustomer string) filter.Field {
	equal := fmt.Sprintf("SELECT i.customer_id FROM customer_identifier i WHERE i.kind = '%s' AND i.value = %s", kind, normalSQL(kind, "%[1]s"))
	if inCustomer != "" {
		equal += " UNION ALL SELECT c.customer_id FROM customer c WHERE " + inCustomer
	}
	return filter.Field{
		Name: name, Kind: filter.Text, Equal: "customer_id IN (" + equal + ")",
		Column: texts(fmt.Sprintf("SELECT i.value FROM customer_identifier i WHERE i.customer_id = customer.customer_id AND i.kind = '%s'", kind)),
	}
}
