// Package kind knows the kinds of transactions as events carry them, in lower case.
package kind

import (
	"fmt"
	"slices"
	"strings"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// BankBooked are the transactions that the bank makes and not the customer. They don't count unless asked for: interest
// arrives on the last day of a month at everybody's, and would make all customers equally recent.
var BankBooked = []string{"interest_credited", "interest_charged", "fee", "loan_disbursement"}

// Incoming are the kinds that bring money to the account; the others take it away.
var Incoming = []string{"cash_deposit", "transfer_in", "interest_credited", "loan_disbursement"}

// Problems names the kinds that crm does not know.
func Problems(field string, kinds []string) []apperr.Violation {
	known := all()
	var problems []apperr.Violation
	for i, k := range kinds {
		if !slices.Contains(known, k) {
			problems = append(problems, apperr.Violation{
				Field: fmt.Sprintf("%s[%d]", field, i), Description: fmt.Sprintf("%q is not one of %s", k, strings.Join(known, ", ")),
			})
		}
	}
	return problems
}

// all are the kinds of crm's transactions.
func all() []string {
	kinds := make([]string, 0, len(crmv1.TransactionKind_name))
	for number, name := range crmv1.TransactionKind_name {
		if number != 0 {
			kinds = append(kinds, strings.ToLower(strings.TrimPrefix(name, "TRANSACTION_KIND_")))
		}
	}
	slices.Sort(kinds)
	return kinds
}

// Condition is the part of a query's WHERE that chooses kinds, and the value of its parameter "kinds": those that are
// named, or all that the bank does not book.
func Condition(kinds []string) (sql string, value []string) {
	if len(kinds) > 0 {
		return "kind IN {kinds:Array(String)}", kinds
	}
	return "kind NOT IN {kinds:Array(String)}", BankBooked
}
