package relation

import (
	"maps"
	"slices"
	"strings"

	"tandem.bank/pkg/filter"
)

// OfCustomer are the relations in which others are something to a customer, for lists of customers: a customer with
// relations.type = "child" has a child. A symmetric relation is one of both, whichever side it was stored from.
var OfCustomer = schema.Of(seen, "r", "relation_id", "type", "other_customer_id", "other_name", "valid_from", "valid_to", "end_reason", "weight",
	"formality", "share", "position", "decision_power")

var seen = &filter.Related{
	Name: "relations", Key: "r.customer_id", Of: "customer.customer_id",
	From: "(" + side("customer_id", "other_customer_id") + " UNION ALL " + side("other_customer_id", "customer_id") +
		" WHERE other_customer_id IS NOT NULL AND type IN (" + symmetric() + ")) r",
}

// side selects relations as seen from one of their parties.
func side(customer, other string) string {
	return "SELECT " + customer + " AS customer_id, " + other + ` AS other_customer_id, relation_id, type, other_name, valid_from, valid_to,
    end_reason, weight, formality, share, position, decision_power FROM relation`
}

// symmetric lists the types that read the same from either side, for SQL.
func symmetric() string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(rules)) {
		if rules[name].inverse == "" {
			out = append(out, "'"+name+"'")
		}
	}
	return strings.Join(out, ", ")
}
