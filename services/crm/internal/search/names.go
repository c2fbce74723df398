package search

import (
	"strings"

	"tandem.bank/services/crm/internal/customer"
)

// name is one name of a customer, with the path of its field.
type name struct{ field, value string }

// names are all that a customer is called.
func names(row *customer.Row) []name {
	out := []name{
		{"individual.given_name", row.GivenName},
		{"individual.family_name", row.FamilyName},
		{"individual.middle_name", row.MiddleName},
		{"individual.given_name_latin", row.GivenNameLatin},
		{"individual.family_name_latin", row.FamilyNameLatin},
		{"individual.middle_name_latin", row.MiddleNameLatin},
		{"organisation.legal_name", row.LegalName},
		{"organisation.legal_name_latin", row.LegalNameLatin},
	}
	for _, trade := range row.TradeNames {
		out = append(out, name{"organisation.trade_names", trade})
	}
	return out
}

// attributes are the values that are searched.
func attributes(row *customer.Row, searched []string) []name {
	var out []name
	for _, attribute := range searched {
		for _, text := range row.Attributes[attribute].Searched() {
			out = append(out, name{"attributes." + attribute, text})
		}
	}
	return out
}

// nameTexts are the names of a customer as they are said in one breath: each text is a line in which phrases are found.
func nameTexts(row *customer.Row) []string {
	texts := []string{
		inOrders(row.GivenName, row.MiddleName, row.FamilyName),
		inOrders(row.GivenNameLatin, row.MiddleNameLatin, row.FamilyNameLatin),
		row.LegalName, row.LegalNameLatin,
	}
	return append(texts, row.TradeNames...)
}

// inOrders repeats a person's names: "Jan Novák" and "Novák Jan" are both phrases that people look for, and with a middle
// name "Иван Петрович Ковалёв", "Ковалёв Иван Петрович" and "Иван Ковалёв".
func inOrders(given, middle, family string) string {
	if middle == "" {
		return strings.Join([]string{given, family, given}, " ")
	}
	return strings.Join([]string{given, middle, family, given, middle, given, family}, " ")
}
