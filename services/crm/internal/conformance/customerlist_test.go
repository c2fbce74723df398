package conformance

import (
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"
)

// belongings of four customers: 1 and 2 are spouses, 3 is a child of 1, and so on.
const belongings = `
INSERT INTO customer (source, external_id, kind, state, phone, email, given_name, family_name, sex, occupation, monthly_income_currency,
    legal_name, registration_number, industry_nace, annual_turnover_currency)
SELECT 'related', n::text, 'individual', 'active', '', '', 'Jan', 'Novák', 'male', '', '', '', '', '', '' FROM generate_series(1, 4) n;
INSERT INTO relation (customer_id, type, other_customer_id, other_name, weight, end_reason, formality, position, decision_power, note)
SELECT a.customer_id, type, b.customer_id, '', weight, '', 'formal', '', '', '' FROM (VALUES ('1', 'spouse', '2', 0.9), ('1', 'child', '3', 0.2)) v (a, type, b, weight)
JOIN customer a ON a.source = 'related' AND a.external_id = v.a JOIN customer b ON b.source = 'related' AND b.external_id = v.b;
INSERT INTO account (source, external_id, currency, state) VALUES ('related', 'eur', 'EUR', 'open'), ('related', 'czk', 'CZK', 'closed');
INSERT INTO account_holder (account_id, customer_id, role, valid_to)
SELECT account_id, customer_id, v.role, v.until::date FROM (VALUES ('eur', '1', 'owner', NULL), ('czk', '1', 'co_owner', NULL), ('czk', '2', 'owner', NULL),
    ('eur', '3', 'authorised_user', '2001-01-01')) v (account, customer, role, until)
JOIN account a ON a.source = 'related' AND a.external_id = v.account JOIN customer c ON c.source = 'related' AND c.external_id = v.customer;
INSERT INTO contract (kind, account_id, amount, currency) SELECT 'loan', account_id, 5000, 'CZK' FROM account WHERE source = 'related' AND external_id = 'czk';
INSERT INTO card (state, scheme, customer_id, account_id) SELECT 'active', 'visa', customer_id, account_id
FROM customer c, account a WHERE c.source = 'related' AND c.external_id = '2' AND a.source = 'related' AND a.external_id = 'czk';
INSERT INTO consent (customer_id, purpose, channel, granted_at) SELECT customer_id, 'marketing', 'sms', now() FROM customer WHERE source = 'related' AND external_id = '4';
INSERT INTO interaction (customer_id, kind, opened_at) SELECT customer_id, 'call', now() - interval '2 days' FROM customer WHERE source = 'related' AND external_id = '3';
INSERT INTO customer_rfm (customer_id, as_of, run_id, cell, recency_days, frequency, monetary, base_currency, computed_at)
SELECT customer_id, '2026-01-01', gen_random_uuid(), v.cell, 5, 10, v.monetary, 'CZK', now() FROM (VALUES ('1', '555', 100.5), ('2', '111', 7)) v (customer, cell, monetary)
JOIN customer c ON c.source = 'related' AND c.external_id = v.customer;
INSERT INTO customer_segment (customer_id, segment, member, as_of, run_id, definition_version, computed_at, applied_at)
SELECT customer_id, v.segment, v.member, '2026-01-01', gen_random_uuid(), 1, now(), now()
FROM (VALUES ('1', 'affluent', true), ('1', 'young', false), ('2', 'young', true), ('4', 'affluent', true),
    ('3', 'habits/1', true), ('4', 'habits/12', true)) v (customer, segment, member)
JOIN customer c ON c.source = 'related' AND c.external_id = v.customer;
INSERT INTO customer_score (customer_id, score, value, grade, as_of, run_id, definition_version, model_version, computed_at, applied_at)
SELECT customer_id, v.score, v.value, v.grade, '2026-01-01', gen_random_uuid(), 1, 0, now(), now()
FROM (VALUES ('1', 'fit', 80, 'A'), ('2', 'fit', 30, 'C'), ('2', 'churn', 0.9, ''), ('3', 'fit', NULL, '')) v (customer, score, value, grade)
JOIN customer c ON c.source = 'related' AND c.external_id = v.customer`

// Customers are found by what belongs to them.
func TestListCustomersByRelated(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	if _, err := b.pool.Exec(t.Context(), belongings); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		filter, order string
		want          []string
	}{
		{`relations.type = "spouse"`, "", []string{"1", "2"}}, // stored once, true of both
		{`relations.type = "child"`, "", []string{"1"}},
		{`relations.type = "spouse" AND relations.weight < 0.5`, "", []string{"1"}}, // two relations, each with one of them
		{`relations:(type = "spouse" AND weight < 0.5)`, "", nil},
		{`relations:(type = "spouse" AND weight > 0.5)`, "", []string{"1", "2"}},
		{`NOT relations:*`, "", []string{"3", "4"}},
		{`accounts.currency = "EUR"`, "", []string{"1"}}, // 3 holds it no more
		{`accounts:(state = closed AND role = owner)`, "", []string{"2"}},
		{`contracts:(kind = loan AND amount >= 5000)`, "", []string{"2"}},
		{`cards.scheme = "vi*"`, "", []string{"2"}},
		{`consents:(purpose = "marketing" AND channel = sms AND NOT withdrawn_time:*)`, "", []string{"4"}},
		{`interactions:(kind = call AND opened_time > "now-3d")`, "", []string{"3"}},
		{`rfm.cell = "555"`, "", []string{"1"}},
		{`rfm.cell != "555"`, "", []string{"2", "3", "4"}}, // no cell is another one
		{`rfm:(frequency >= 10 AND monetary < 50)`, "", []string{"2"}},
		{`segments:"affluent"`, "", []string{"1", "4"}},
		{`NOT segments:"young"`, "", []string{"1", "3", "4"}}, // 1 has left it
		{`segments:"habits/1"`, "", []string{"3"}},            // a cluster
		{`segments.name = "habits/*"`, "", []string{"3", "4"}},
		{`segments:(name = "young" AND as_of >= "2026-01-01")`, "", []string{"2"}},
		{`scores:(name = "fit" AND value >= 30)`, "", []string{"1", "2"}},
		{`scores:(name = "fit" AND value < 50) OR scores.grade = "A"`, "", []string{"1", "2"}},
		{`scores:(name = "churn" AND value > 0.5)`, "", []string{"2"}},
		{`NOT scores:(name = "fit")`, "", []string{"3", "4"}}, // 3 has no value any more
		{``, "rfm.monetary desc", []string{"1", "2", "4", "3"}},
		{``, "rfm.monetary", []string{"2", "1", "3", "4"}},
	}
	for _, c := range cases {
		filter := `key.source = "related"`
		if c.filter != "" {
			filter += " AND (" + c.filter + ")"
		}
		var got []string
		for token := ""; ; {
			page, next, _, err := b.listAs(t.Context(), customers, map[string]any{
				"filter": filter, "order_by": c.order, "page_size": int32(1), "page_token": token,
			})
			if err != nil {
				t.Fatalf("%s: %v", c.filter, err)
			}
			got = append(got, externalIDs(page)...)
			if token = next; token == "" {
				break
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s by %q gives %q, want %q", c.filter, c.order, got, c.want)
		}
	}
}

func externalIDs(records []proto.Message) (out []string) {
	for _, r := range records {
		out = append(out, get(get(r, "key").Message().Interface(), "external_id").String())
	}
	return out
}

// exerciseCustomerList lists by each order that an index gives, and by the related fields that single out few customers.
func (b *bank) exerciseCustomerList(t *testing.T) {
	t.Helper()
	for _, order := range []string{
		"customer_id desc", "create_time", "create_time desc", "individual.family_name", "individual.family_name desc", "organisation.legal_name",
	} {
		_, token, _, err := b.listAs(t.Context(), customers, map[string]any{"order_by": order, "page_size": int32(50)})
		if err == nil && token != "" {
			_, _, _, err = b.listAs(t.Context(), customers, map[string]any{"order_by": order, "page_size": int32(50), "page_token": token})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, filter := range []string{
		"state = prospect", "manager_id = 7 AND NOT relations:*", `relations.type = "spouse"`, `relations:(type = child AND weight > 0.5)`,
		`accounts.currency = "EUR"`, "accounts.state = blocked", "cards.state = blocked", "contracts.kind = deposit", `rfm.cell = "555"`,
		`segments:"rare"`, `scores:(name = "fit" AND value > 9990)`,
		`consents:(purpose = "research" AND channel = sms)`, `interactions:(kind = meeting AND opened_time > "today-7d")`,
	} {
		b.listTwice(t, customers, filter)
	}
}
