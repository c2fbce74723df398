BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SELECT customer_id, source, external_id, version, content_hash, import_id, created_at, updated_at, kind, state, region_id, branch_id, manager_id,
    phone, email, customer_since, given_name, family_name, birth_date, sex, occupation, monthly_income, monthly_income_currency, legal_name,
    registration_number, industry_nace, employees, annual_turnover, annual_turnover_currency, founded
FROM customer WHERE customer_id = $1;
SELECT account_id, source, external_id, version, content_hash, import_id, created_at, updated_at, number, currency, product_id, region_id, branch_id, state, statement_frequency, opened, closed, ledger_balance, balance_date, held_role
FROM account JOIN (
    SELECT account_holder_id AS held_since, account_id AS held_id, role AS held_role FROM account_holder
    WHERE customer_id = $1 AND (valid_from IS NULL OR valid_from <= current_date) AND (valid_to IS NULL OR valid_to >= current_date)
    ORDER BY account_holder_id LIMIT 200
) h ON held_id = account_id ORDER BY held_since;
SELECT card_id, source, external_id, version, content_hash, import_id, created_at, updated_at, token, first6, last4, scheme, expiry, state, customer_id, account_id, account_holder_id, product_id, issued
FROM card WHERE customer_id = $1 ORDER BY card_id LIMIT 200;
SELECT contract_id, source, external_id, version, content_hash, import_id, created_at, updated_at, kind, state, account_id, product_id, amount, instalment, currency, duration_months, opened, closed, purpose, counterparty_bank, counterparty_account
FROM contract WHERE account_id IN (
    SELECT account_id FROM account_holder
    WHERE customer_id = $1 AND role = 'owner'
      AND (valid_from IS NULL OR valid_from <= current_date) AND (valid_to IS NULL OR valid_to >= current_date))
ORDER BY contract_id LIMIT 200;
SELECT as_of, cell, recency_days, frequency, monetary::text, base_currency, run_id::text, computed_at, applied_at
FROM customer_rfm WHERE customer_id = $1;
SELECT interaction_id, source, external_id, version, content_hash, import_id, created_at, updated_at, customer_id, kind, channel, opened_at, manager_id, account_id, subject, text, outcome, duration_seconds, topic, priority, first_answer_at, resolved_at, due_at, satisfaction, participants, contract_id, card_id, campaign, place, latitude, longitude, documents, class, service_level_id, first_answer_due_at, reopened_count, reopened_at, rated_at FROM (
    (SELECT * FROM interaction WHERE customer_id = $1 ORDER BY opened_at DESC, interaction_id DESC LIMIT 10)
    UNION ALL
    (SELECT i.* FROM interaction_participant p JOIN interaction i USING (interaction_id)
     WHERE p.party = 'customer' AND p.party_id = $1 ORDER BY p.opened_at DESC, p.interaction_id DESC LIMIT 10)
) interaction ORDER BY opened_at DESC, interaction_id DESC LIMIT 10;
SELECT count(*)::integer FROM interaction WHERE customer_id = $1 AND kind = 'complaint' AND resolved_at IS NULL;
COMMIT
