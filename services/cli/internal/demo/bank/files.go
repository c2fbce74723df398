package bank

import (
	"errors"
	"fmt"
)

// files are the open files of a bank.
type files struct {
	regions, branches, managers, products        *csvFile
	customers, accounts, holders, cards          *csvFile
	consents, relations                          *csvFile
	contracts, transactions, interactions, truth *csvFile
}

// layout lists each file with its columns, in the order in which they can be loaded.
var layout = []struct {
	name    string
	columns []string
	place   func(*files) **csvFile
}{
	{
		"regions",
		[]string{"id", "name", "parent_name", "latitude", "longitude", "population", "average_salary"},
		func(f *files) **csvFile { return &f.regions },
	},
	{
		"branches",
		[]string{"id", "name", "region", "latitude", "longitude"},
		func(f *files) **csvFile { return &f.branches },
	},
	{
		"managers",
		[]string{"id", "name", "branch"},
		func(f *files) **csvFile { return &f.managers },
	},
	{
		"products",
		[]string{"id", "code", "name", "family", "currency", "margin", "valid_from", "valid_to"},
		func(f *files) **csvFile { return &f.products },
	},
	{
		"customers",
		[]string{
			"id", "party", "state", "region", "branch", "manager", "phone", "email", "customer_since",
			"given_name", "family_name", "birth_date", "sex", "occupation", "monthly_income", "income_currency",
			"legal_name", "registration_number", "industry_nace", "employees", "annual_turnover", "turnover_currency", "founded",
			"given_name_latin", "family_name_latin", "citizenship", "marital_status", "dependants", "education_level",
			"employer_name", "position", "employed_since", "income_source", "legal_form",
			"preferred_channel", "preferred_language", "street", "city", "postal_code", "work_phone",
			"other_bank", "other_bank_family", "left",
		},
		func(f *files) **csvFile { return &f.customers },
	},
	{
		"consents",
		[]string{
			"id", "customer", "purpose", "channel", "granted_time", "granted_how", "text_version", "withdrawn_time", "withdrawn_how",
		},
		func(f *files) **csvFile { return &f.consents },
	},
	{
		"relations",
		[]string{"id", "customer", "type", "other_customer", "other_name", "other_birth_date", "valid_from", "position"},
		func(f *files) **csvFile { return &f.relations },
	},
	{
		"accounts",
		[]string{"id", "number", "currency", "product", "region", "branch", "state", "statement_frequency", "opened", "closed"},
		func(f *files) **csvFile { return &f.accounts },
	},
	{
		"account_holders",
		[]string{"id", "account", "customer", "role", "valid_from", "valid_to"},
		func(f *files) **csvFile { return &f.holders },
	},
	{
		"cards",
		[]string{
			"id", "token", "first6", "last4", "scheme", "product", "account_holder", "customer", "account",
			"state", "issued", "expiry", "closed",
		},
		func(f *files) **csvFile { return &f.cards },
	},
	{
		"contracts",
		[]string{
			"id", "kind", "state", "account", "product", "amount", "instalment", "currency",
			"duration_months", "opened", "closed", "purpose", "counterparty_bank", "counterparty_account",
		},
		func(f *files) **csvFile { return &f.contracts },
	},
	{
		"transactions",
		[]string{
			"id", "account", "business_date", "direction", "kind", "amount", "currency", "base_amount",
			"rate_date", "balance_after", "purpose", "counterparty_bank", "counterparty_account", "description", "state",
			"card", "channel",
		},
		func(f *files) **csvFile { return &f.transactions },
	},
	{
		"interactions",
		[]string{
			"id", "customer", "kind", "channel", "opened_time", "manager", "account", "subject", "text",
			"outcome", "duration_seconds", "topic", "priority", "first_answer_time", "resolved_time", "due_time", "satisfaction",
		},
		func(f *files) **csvFile { return &f.interactions },
	},
	{
		"truth",
		[]string{
			"customer", "rate", "stop_probability", "spend_rate", "first_purchase_week", "first_purchase",
			"purchases", "stopped",
		},
		func(f *files) **csvFile { return &f.truth },
	},
}

// create opens every file; when one can't be opened, those before it are closed.
func (f *files) create(dir string) error {
	for _, entry := range layout {
		file, err := createFile(dir, entry.name+".csv", entry.columns...)
		if err != nil {
			_, closeErr := f.close()
			return errors.Join(err, closeErr)
		}
		*entry.place(f) = file
	}
	return nil
}

// close closes every open file and counts the rows.
func (f *files) close() ([]FileRows, error) {
	var rows []FileRows
	var errs []error
	for _, entry := range layout {
		file := *entry.place(f)
		if file == nil {
			continue
		}
		if err := file.close(); err != nil {
			errs = append(errs, fmt.Errorf("%s.csv: %w", entry.name, err))
		}
		rows = append(rows, FileRows{Name: entry.name, Rows: file.rows})
	}
	return rows, errors.Join(errs...)
}
