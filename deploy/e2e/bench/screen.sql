BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SELECT customer_id, source, external_id, version, content_hash, import_id, created_at, updated_at, kind, state, region_id, branch_id, manager_id,
    phone, email, customer_since, given_name, family_name, birth_date, sex, occupation, monthly_income, monthly_income_currency, legal_name,
    registration_number, industry_nace, employees, annual_turnover, annual_turnover_currency, founded
FROM customer WHERE customer_id = $1;
SELECT account_id, source, external_id, version, content_hash, import_id, created_at, updated_at, number, currency, product_id, region_id, branch_id, state, statement_frequency, opened, closed, contract_id, state_reason, state_since, overdraft_limit,
    ledger_balance, balance_date, available_balance, held_amount, balance_time, held_role
FROM account JOIN (
    SELECT account_holder_id AS held_since, account_id AS held_id, role AS held_role FROM account_holder
    WHERE customer_id = $1 AND (valid_from IS NULL OR valid_from <= current_date) AND (valid_to IS NULL OR valid_to >= current_date)
    ORDER BY account_holder_id LIMIT 200
) h ON held_id = account_id ORDER BY held_since;
SELECT card_id, source, external_id, version, content_hash, import_id, created_at, updated_at, token, first6, last4, scheme, expiry, state, customer_id, account_id, account_holder_id, product_id, issued,
    linked_accounts, replaced_by_card_id, state_reason, state_since
FROM card WHERE customer_id = $1 ORDER BY card_id LIMIT 200;
SELECT contract_id, source, external_id, version, content_hash, import_id, created_at, updated_at, kind, state, account_id, product_id, amount, instalment, currency, duration_months, opened, closed, purpose, counterparty_bank, counterparty_account,
    number, annual_rate, rate_kind, reference_rate, rate_margin, day_count, credit_limit, collateral, signed, maturity, close_reason, state_reason,
    state_since, overdue_days, overdue
FROM contract LEFT JOIN LATERAL (
    SELECT current_date - min(i.due) AS overdue_days, sum(i.outstanding) AS overdue
    FROM instalment i WHERE i.contract_id = contract.contract_id AND i.outstanding > 0 AND i.due < current_date
) late ON true
WHERE contract_id IN (
    SELECT contract_id FROM contract WHERE account_id IN (
        SELECT account_id FROM account_holder
        WHERE customer_id = $1 AND role = 'owner'
          AND (valid_from IS NULL OR valid_from <= current_date) AND (valid_to IS NULL OR valid_to >= current_date))
    UNION
    SELECT contract_id FROM contract_party
    WHERE customer_id = $1 AND (valid_from IS NULL OR valid_from <= current_date) AND (valid_to IS NULL OR valid_to >= current_date))
ORDER BY contract_id LIMIT 200;
SELECT as_of, cell, recency_days, frequency, monetary::text, base_currency, run_id::text, computed_at
FROM customer_rfm WHERE customer_id = $1;
SELECT interaction_id, source, external_id, version, content_hash, import_id, created_at, updated_at, customer_id, kind, channel, opened_at, manager_id, account_id, subject, text, outcome, duration_seconds, topic, priority, first_answer_at, resolved_at, due_at, satisfaction, participants, contract_id, card_id, campaign, place, latitude, longitude, documents, class, service_level_id, first_answer_due_at, reopened_count, reopened_at, rated_at FROM (
    (SELECT * FROM interaction WHERE customer_id = $1 ORDER BY opened_at DESC, interaction_id DESC LIMIT 10)
    UNION ALL
    (SELECT i.* FROM interaction_participant p JOIN interaction i USING (interaction_id)
     WHERE p.party = 'customer' AND p.party_id = $1 ORDER BY p.opened_at DESC, p.interaction_id DESC LIMIT 10)
) interaction ORDER BY opened_at DESC, interaction_id DESC LIMIT 10;
SELECT count(*)::integer FROM interaction WHERE customer_id = $1 AND kind = 'complaint' AND resolved_at IS NULL;
COMMIT
