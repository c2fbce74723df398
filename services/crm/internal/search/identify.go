package search

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"tandem.bank/services/crm/internal/sight"
)

const (
	// identifiedMax bounds the customers that one identifier names: a card's last four digits are shared by many.
	identifiedMax = 1000
	// phoneDigitsMin is how much of a phone number's end must be given.
	phoneDigitsMin = 6
	last4Length    = 4
)

// identified is a customer who has an identifier.
type identified struct {
	Term       int
	CustomerID int64
	// Prefix says that only its beginning was given.
	Prefix bool
	Field  string
	Value  string
}

var (
	separators = regexp.MustCompile(`[\s./()\-‐‑–]+`)
	noDigits   = regexp.MustCompile(`[^0-9]+`)
	// russianTrunk is a Russian or Kazakh number as it is dialled at home: 8 stands for +7.
	russianTrunk = regexp.MustCompile(`^8[0-9]{10}$`)
	digitsOnly   = regexp.MustCompile(`^[0-9]+$`)
	// countryPrefix is what stands before the digits of a tax id abroad, as in CZ27604977.
	countryPrefix = regexp.MustCompile(`^[a-z]{2}[0-9]+$`)
)

// Fields of customer_identifier; a hit says more exactly where the value stands.
const (
	fieldContact  = "contact_points.value"
	fieldTaxID    = "tax_id"
	fieldDocument = "individual.identity_documents.number"
)

// numberLengthMin is the length, in characters, of the shortest number of a document or of a tax register.
const numberLengthMin = 4

// lookup collects the look-ups of all identifiers into one statement.
type lookup struct {
	sight *sight.Sight
	parts []string
	args  []any
}

// add looks a field of a table up; the condition has %s where the values go. The sum in the order keeps Postgres from
// walking through all customers by number.
func (l *lookup) add(term int, prefix bool, field, value, from, condition string, args ...any) {
	if !l.sight.Shows(shownAs[field]...) {
		return
	}
	names := make([]any, len(args))
	for i, arg := range args {
		l.args = append(l.args, arg)
		names[i] = fmt.Sprintf("$%d", len(l.args))
	}
	l.parts = append(l.parts, fmt.Sprintf("(SELECT %d, customer_id, %t, '%s', %s FROM %s WHERE %s ORDER BY customer_id + 0 LIMIT %d)",
		term, prefix, field, value, from, fmt.Sprintf(condition, names...), identifiedMax))
}

// identify finds out which customers the terms name by an identifier, in any usual spelling of it.
func identify(ctx context.Context, tx pgx.Tx, seen *sight.Sight, terms []*term) error {
	l := &lookup{sight: seen}
	for i, t := range terms {
		if t.Masked {
			l.card(i, t.First, t.Text)
			continue
		}
		l.keys(i, t)
		l.contacts(i, t)
		l.numbers(i, t)
		l.accounts(i, t)
	}
	if len(l.parts) == 0 {
		return nil
	}
	rows, err := tx.Query(ctx, strings.Join(l.parts, " UNION ALL "), append([]any{pgx.QueryExecModeExec}, l.args...)...)
	if err != nil {
		return err
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[identified])
	for _, f := range found {
		if t := terms[f.Term]; f.Prefix {
			t.begun = append(t.begun, f)
		} else {
			t.found = append(t.found, f)
		}
	}
	return err
}

// keys are the numbers that systems and registers know a customer by.
func (l *lookup) keys(i int, t *term) {
	compact := separators.ReplaceAllString(t.Text, "")
	if id, err := strconv.ParseInt(compact, 10, 64); err == nil && digitsOnly.MatchString(compact) {
		l.add(i, false, "customer_id", "customer_id::text", "customer", "customer_id = %s::bigint", id)
	}
	l.add(i, false, "key.external_id", "external_id", "customer", "external_id = ANY(%s::text[])",
		[]string{t.Text, strings.ToUpper(t.Text), strings.ToLower(t.Text)})
	if source, id, ok := strings.Cut(t.Text, "/"); ok {
		l.add(i, false, "key.external_id", "external_id", "customer", "source = lower(%s::text) AND external_id = %s::text", source, id)
	}
	if strings.ContainsAny(compact, "0123456789") {
		l.add(i, false, "organisation.registration_number", "registration_number", "customer",
			"registration_number = ANY(%s::text[]) AND registration_number <> ''", []string{t.Text, compact, strings.ToUpper(compact)})
	}
}

// contacts are e-mail addresses and phones.
func (l *lookup) contacts(i int, t *term) {
	address := strings.ToLower(t.Text)
	if strings.Contains(address, "@") {
		l.add(i, false, "email", "email", "customer", "lower(email) = %s::text AND email <> ''", address)
		l.add(i, false, fieldContact, "value", "customer_identifier", "kind = 'email' AND value = %s::text", address)
	}
	if strings.ContainsAny(address, "@._") && !t.Quoted {
		// A beginning is a range: a LIKE would need its wildcards taken out.
		l.add(i, true, "email", "email", "customer", "lower(email) ~>=~ %s::text AND lower(email) ~<~ %s::text AND email <> ''",
			address, address+"\U0010FFFF")
		l.add(i, true, fieldContact, "value", "customer_identifier", "kind = 'email' AND value ~>=~ %s::text AND value ~<~ %s::text",
			address, address+"\U0010FFFF")
	}
	digits := noDigits.ReplaceAllString(t.Text, "")
	if strings.Trim(separators.ReplaceAllString(t.Text, ""), "+") != digits {
		return // letters among the digits: no phone
	}
	international, isInternational := strings.CutPrefix(digits, "00")
	if strings.Contains(t.Text, "+") {
		international, isInternational = digits, true
	}
	switch {
	case isInternational && len(international) >= phoneDigitsMin:
		l.add(i, false, "phone", "phone", "customer", "phone = %s::text AND phone <> ''", "+"+international)
		l.add(i, false, fieldContact, "value", "customer_identifier", "kind = 'phone' AND value = %s::text", "+"+international)
	case russianTrunk.MatchString(digits):
		l.phoneEnd(i, "7"+digits[1:])
	}
	if home := strings.TrimLeft(digits, "0"); !isInternational && len(home) >= phoneDigitsMin {
		l.phoneEnd(i, home)
	}
}

// phoneEnd finds a phone by its last digits: what is left when country code and trunk prefix are left out.
func (l *lookup) phoneEnd(i int, digits string) {
	end := reverse(digits)
	l.add(i, false, "phone", "phone", "customer", "reverse(phone) ~>=~ %s::text AND reverse(phone) ~<~ %s::text AND phone <> ''", end, end+":")
	l.add(i, false, fieldContact, "value", "customer_identifier",
		"reverse(value) ~>=~ %s::text AND reverse(value) ~<~ %s::text AND kind = 'phone'", end, end+":")
}

// numbers are tax ids and the numbers of identity documents, with any signs between and, of a tax id, its country before.
func (l *lookup) numbers(i int, t *term) {
	compact := strings.ToLower(strings.ReplaceAll(separators.ReplaceAllString(t.Text, ""), "№", ""))
	if utf8.RuneCountInString(compact) < numberLengthMin || !strings.ContainsAny(compact, "0123456789") {
		return
	}
	taxIDs := []string{compact}
	if countryPrefix.MatchString(compact) {
		taxIDs = append(taxIDs, compact[2:])
	}
	l.add(i, false, fieldTaxID, "value", "customer_identifier", "kind = 'tax_id' AND value = ANY(%s::text[])", taxIDs)
	l.add(i, false, fieldDocument, "value", "customer_identifier", "kind = 'document' AND value = %s::text", compact)
}

// accounts are account numbers, IBANs and the ends of card numbers.
func (l *lookup) accounts(i int, t *term) {
	compact := strings.ToUpper(separators.ReplaceAllString(t.Text, ""))
	if !strings.ContainsAny(compact, "0123456789") {
		return
	}
	const holders = "account a JOIN account_holder h USING (account_id)"
	digits := noDigits.ReplaceAllString(compact, "")
	l.add(i, false, "account.number", "a.number", holders, "a.number = ANY(%s::text[]) AND a.number <> ''", []string{t.Text, compact})
	if digits == compact && len(digits) >= phoneDigitsMin {
		l.add(i, false, "account.number", "a.number", holders,
			"regexp_replace(a.number, '[^0-9]', '', 'g') = %s::text AND a.number <> '' AND a.number !~ '[A-Za-z]'", digits)
	}
	if len(digits) == last4Length && digits == compact {
		l.card(i, "", digits)
	}
}

// card finds cards by the end of their numbers and, as far as it is known, the beginning.
func (l *lookup) card(i int, first, last4 string) {
	l.add(i, false, "card.last4", "last4", "card", "last4 = %s::text AND last4 <> '' AND (first6 = '' OR starts_with(first6, %s::text))", last4, first)
}

func reverse(digits string) string {
	out := []byte(digits)
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return string(out)
}
