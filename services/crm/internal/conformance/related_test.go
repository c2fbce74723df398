package conformance

import (
	"slices"
	"strings"
	"testing"
)

// labels give keys to what belongings leave without, a party and two instalments to the contract, and participants to the call.
const labels = `
UPDATE card SET source = 'related', external_id = 'card', linked_accounts = (
    SELECT jsonb_build_array(jsonb_build_object('account_id', account_id, 'role', 'fees'))
    FROM account WHERE source = 'related' AND external_id = 'eur') WHERE source IS NULL;
UPDATE contract SET source = 'related', external_id = 'loan' WHERE source IS NULL;
INSERT INTO contract (source, external_id, kind, account_id, amount, currency)
SELECT 'related', 'deposit', 'deposit', account_id, 1, 'EUR' FROM account WHERE source = 'related' AND external_id = 'eur';
INSERT INTO contract_party (contract_id, customer_id, role)
SELECT contract_id, customer_id, 'guarantor' FROM contract, customer
WHERE contract.source = 'related' AND contract.external_id = 'loan' AND customer.source = 'related' AND customer.external_id = '3';
INSERT INTO instalment (contract_id, number, due, currency, principal, interest, fee, paid, state)
SELECT contract_id, n, '2025-01-01', 'CZK', 100, 10, 0, 110 * (n % 2), CASE n WHEN 1 THEN 'paid' ELSE 'open' END
FROM contract, generate_series(1, 2) n WHERE source = 'related' AND external_id = 'loan';
UPDATE interaction SET source = 'related', external_id = 'call', participants = jsonb_build_array(
    jsonb_build_object('customer_id', customer_id, 'role', 'attendee'), jsonb_build_object('name', 'Mr Dvořák', 'role', 'host')) WHERE source IS NULL;
INSERT INTO interaction_participant (party, party_id, opened_at, interaction_id, name, role)
SELECT party, coalesce(nullif(id, 0), customer_id), opened_at, interaction_id, name, role
FROM interaction, (VALUES ('customer', 0, '', 'attendee'), ('name', 2, 'Mr Dvořák', 'host')) AS p (party, id, name, role)
WHERE source = 'related' AND external_id = 'call';
INSERT INTO interaction (source, external_id, customer_id, kind, opened_at)
SELECT 'related', 'visit', customer_id, 'meeting', now() FROM customer WHERE source = 'related' AND external_id = '3'`

// Accounts, cards, contracts and interactions are found by what belongs to them, too.
func TestListOthersByRelated(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	for _, sql := range []string{belongings, labels} {
		if _, err := b.pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		of     kind
		filter string
		want   string
	}{
		{accounts, `account_holders.role = authorised_user`, "eur"},
		{accounts, `account_holders:(role = authorised_user AND NOT valid_to:*)`, ""},
		{accounts, `contracts:(kind = loan AND amount >= 5000)`, "czk"},
		{accounts, `cards:(scheme = "visa" AND state = active)`, "czk"},
		{accounts, `NOT cards:*`, "eur"},
		{cards, `accounts:(currency = "CZK" AND state = closed)`, "card"},
		{cards, `accounts.currency = "EUR"`, ""},
		{cards, `linked_accounts:(role = fees AND account_id > 0)`, "card"},
		{cards, `NOT linked_accounts:*`, ""},
		{contracts, `contract_parties.role = guarantor`, "loan"},
		{contracts, `NOT contract_parties:*`, "deposit"},
		{contracts, `instalments:(due < "today" AND outstanding > 0)`, "loan"},
		{contracts, `instalments:(number = 1 AND outstanding > 0)`, ""},
		{interactions, `participants:*`, "call"},
		{interactions, `participants.name = "Mr*"`, "call"},
		{interactions, `participants:(name = "Mr*" AND customer_id:*)`, ""}, // two, and each is one of them
		{interactions, `NOT participants.role = host`, "visit"},
	} {
		found, _, err := b.list(t.Context(), c.of, 10, "", `key.source = "related" AND (`+c.filter+")")
		if err != nil {
			t.Errorf("%s: %v", c.filter, err)
			continue
		}
		got := externalIDs(found)
		slices.Sort(got)
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s with %s: %q, want %q", c.of.many, c.filter, got, c.want)
		}
	}
}
