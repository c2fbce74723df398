BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY;
SELECT customer_id, source, external_id, version, content_hash, import_id, created_at, updated_at, kind, state, region_id, branch_id, manager_id, phone, email, customer_since, given_name, family_name, birth_date, sex, occupation, monthly_income, monthly_income_currency, legal_name, registration_number, industry_nace, employees, annual_turnover, annual_turnover_currency, founded, middle_name, given_name_latin, family_name_latin, middle_name_latin, citizenships, tax_ids, identity_documents, marital_status, dependants, education_level, employer_name, employer_id, position, employed_since, income_source, income_verified_on, income_proof, interests, trade_names, legal_form, legal_name_latin, contact_points, preferred_channel, preferred_language, other_banks, state_reason, state_since, state_note, attributes FROM customer WHERE customer_id = $1;
SELECT account_id, source, external_id, version, content_hash, import_id, created_at, updated_at, number, currency, product_id, region_id, branch_id, state, statement_frequency, opened, closed, contract_id, state_reason, state_since, overdraft_limit, ledger_balance, balance_date, available_balance, held_amount, balance_time, held_role,
    ARRAY(SELECT customer_id FROM account_holder WHERE account_id = held_id AND (valid_from IS NULL OR valid_from <= current_date) AND (valid_to IS NULL OR valid_to >= current_date))
FROM account JOIN (
    SELECT account_holder_id AS held_since, account_id AS held_id, role AS held_role FROM account_holder
    WHERE customer_id = $1 AND (valid_from IS NULL OR valid_from <= current_date) AND (valid_to IS NULL OR valid_to >= current_date) ORDER BY account_holder_id LIMIT $2
) h ON held_id = account_id ORDER BY held_since;
SELECT card_id, source, external_id, version, content_hash, import_id, created_at, updated_at, token, first6, last4, scheme, expiry, state, customer_id, account_id, account_holder_id, product_id, issued, linked_accounts, replaced_by_card_id, state_reason, state_since FROM card WHERE customer_id = $1 ORDER BY card_id LIMIT $2;
SELECT contract_id, source, external_id, version, content_hash, import_id, created_at, updated_at, kind, state, account_id, product_id, amount, instalment, currency, duration_months, opened, closed, purpose, counterparty_bank, counterparty_account, number, annual_rate, rate_kind, reference_rate, rate_margin, day_count, credit_limit, collateral, signed, maturity, close_reason, state_reason, state_since, overdue_days, overdue FROM contract LEFT JOIN LATERAL (SELECT current_date - min(i.due) AS overdue_days, sum(i.outstanding) AS overdue
    FROM instalment i WHERE i.contract_id = contract.contract_id AND i.outstanding > 0 AND i.due < current_date) late ON true WHERE contract_id IN (SELECT contract_id FROM contract WHERE account_id IN (SELECT account_id FROM account_holder WHERE customer_id = $1 AND role = 'owner' AND (valid_from IS NULL OR valid_from <= current_date) AND (valid_to IS NULL OR valid_to >= current_date))
    UNION SELECT contract_id FROM contract_party WHERE customer_id = $1 AND (valid_from IS NULL OR valid_from <= current_date) AND (valid_to IS NULL OR valid_to >= current_date)) ORDER BY contract_id LIMIT $2;
SELECT consent_id, source, external_id, version, content_hash, import_id, created_at, updated_at, customer_id, purpose, channel, granted_at, expires_at, text_version, proof, granted_how, withdrawn_at, withdrawn_how, withdrawal_reason, withdrawal_proof, statement_timestamp() FROM consent WHERE -- Condition on consent: for each purpose and channel of customer $1, the record with the newest decision at $2, null
-- being the time of the statement. The purpose $3 and the channels $4 narrow it; an empty text and null do not.
--
-- A record decides by its withdrawal once that is past, before by its grant as long as that has not expired. Of two
-- decisions of the same moment the withdrawal counts: in doubt the answer is no.
consent_id IN (
    SELECT DISTINCT ON (c.purpose, c.channel) c.consent_id
    FROM consent c
    CROSS JOIN (SELECT coalesce($2::timestamptz, statement_timestamp()) AS moment) t
    CROSS JOIN LATERAL (SELECT CASE
        WHEN c.withdrawn_at <= t.moment THEN c.withdrawn_at
        WHEN c.granted_at <= t.moment AND (c.expires_at IS NULL OR c.expires_at > t.moment) THEN c.granted_at
    END AS decided_at) d
    WHERE c.customer_id = $1
      AND ($3 = '' OR c.purpose = $3)
      AND ($4::text[] IS NULL OR c.channel = ANY($4))
      AND d.decided_at IS NOT NULL
    ORDER BY c.purpose, c.channel, d.decided_at DESC, coalesce(c.withdrawn_at <= t.moment, false) DESC, c.consent_id DESC
)
ORDER BY purpose, channel = 'any' DESC, channel;
SELECT relation_id, source, external_id, version, content_hash, import_id, created_at, updated_at, customer_id, type, other_customer_id, other_name, other_birth_date, valid_from, valid_to, end_reason, weight, formality, share, position, decision_power, note, step_inverse, party_id, party_name, party_birth_date
FROM (SELECT relation_id AS step_id, inverse AS step_inverse, party_id AS step_party FROM (-- One step of a walk, for a whole level at once: from each customer of the level ($1) to parties not yet reached ($2),
-- along relations of some types ($3) that hold on a day ($4, null is today), no more than $5 from each customer.
SELECT f.customer_id, e.relation_id, e.inverse, e.party_id
FROM unnest($1::bigint[]) WITH ORDINALITY f (customer_id, place)
CROSS JOIN LATERAL (
    (SELECT relation_id, false AS inverse, other_customer_id AS party_id
     FROM relation r
     WHERE r.customer_id = f.customer_id
       AND (r.other_customer_id IS NULL OR r.other_customer_id <> ALL ($2::bigint[]))
       AND r.type = ANY ($3::text[])
       AND (r.valid_from IS NULL OR r.valid_from <= coalesce($4::date, current_date)) AND (r.valid_to IS NULL OR r.valid_to >= coalesce($4::date, current_date))
     ORDER BY relation_id
     LIMIT $5)
    UNION ALL
    (SELECT relation_id, true, customer_id
     FROM relation r
     WHERE r.other_customer_id = f.customer_id
       AND r.customer_id <> ALL ($2::bigint[])
       AND r.type = ANY ($3::text[])
       AND (r.valid_from IS NULL OR r.valid_from <= coalesce($4::date, current_date)) AND (r.valid_to IS NULL OR r.valid_to >= coalesce($4::date, current_date))
     ORDER BY relation_id
     LIMIT $5)
    ORDER BY relation_id
    LIMIT $5
) e
ORDER BY f.place, e.relation_id
) s) s
JOIN relation ON relation_id = step_id
LEFT JOIN (SELECT customer_id AS party_id, kind AS party_kind,
    CASE kind WHEN 'organisation' THEN legal_name ELSE btrim(given_name || ' ' || family_name) END AS party_name,
    birth_date AS party_birth_date
FROM customer) p ON party_id = step_party
ORDER BY step_id;
SELECT as_of, cell, recency_days, frequency, monetary::text, base_currency, run_id::text, computed_at, applied_at, segment FROM customer_rfm WHERE customer_id = $1;
SELECT as_of, run_id::text, historic::text, predictive::text, predictive_low::text, predictive_high::text, previous::text,
p_alive, expected, rank, customers, horizon_days, base_currency, computed_at, applied_at FROM customer_clv WHERE customer_id = $1;
SELECT segment, as_of, definition_version, run_id::text, computed_at, applied_at FROM customer_segment WHERE customer_id = $1 AND member ORDER BY segment LIMIT $2;
SELECT score, value, grade, as_of, definition_version, model_version, run_id::text, computed_at, applied_at FROM customer_score WHERE customer_id = $1 AND value IS NOT NULL ORDER BY score LIMIT $2;
SELECT interaction_id, source, external_id, version, content_hash, import_id, created_at, updated_at, customer_id, kind, channel, opened_at, manager_id, account_id, subject, text, outcome, duration_seconds, topic, priority, first_answer_at, resolved_at, due_at, satisfaction, participants, contract_id, card_id, campaign, place, latitude, longitude, documents, class, service_level_id, first_answer_due_at, reopened_count, reopened_at, rated_at FROM (
    (SELECT * FROM interaction WHERE customer_id = $1 ORDER BY opened_at DESC, interaction_id DESC LIMIT $2)
    UNION ALL
    (SELECT i.* FROM interaction_participant p JOIN interaction i USING (interaction_id)
     WHERE p.party = 'customer' AND p.party_id = $1 ORDER BY p.opened_at DESC, p.interaction_id DESC LIMIT $2)
) interaction ORDER BY opened_at DESC, interaction_id DESC LIMIT $2;
SELECT count(*)::integer FROM interaction WHERE customer_id = $1 AND kind = 'complaint' AND resolved_at IS NULL;
COMMIT
