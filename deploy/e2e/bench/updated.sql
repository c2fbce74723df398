BEGIN;
SELECT customer_id, source, external_id, version, content_hash, import_id, created_at, updated_at, kind, state, region_id, branch_id, manager_id, phone, email, customer_since, given_name, family_name, birth_date, sex, occupation, monthly_income, monthly_income_currency, legal_name, registration_number, industry_nace, employees, annual_turnover, annual_turnover_currency, founded, middle_name, given_name_latin, family_name_latin, middle_name_latin, citizenships, tax_ids, identity_documents, marital_status, dependants, education_level, employer_name, employer_id, position, employed_since, income_source, income_verified_on, income_proof, interests, trade_names, legal_form, legal_name_latin, contact_points, preferred_channel, preferred_language, other_banks, state_reason, state_since, state_note, attributes, now() FROM customer WHERE customer_id = $1 FOR NO KEY UPDATE;
UPDATE customer SET content_hash = $2, import_id = $3, version = version + 1, updated_at = now(), phone = $4 WHERE customer_id = $1;
-- One change at a time is the usual case, and costs Postgres less without the arrays.
INSERT INTO outbox (event_id, entity, entity_id, version, deleted, payload)
VALUES ($1, $2, $3, $4, $5, $6);
-- The same as append.sql for the commonest case. Unnesting eight arrays for one row costs several times the row itself.
INSERT INTO audit_entry (actor, peer, method, request_id, trace_id, action, entity, entity_id, version, customer_id, customer_ids, before, after)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, nullif($10::bigint, 0), $11::text::bigint[], $12::text::json, $13::text::json);
INSERT INTO request (request_id, input_hash, answer) VALUES ($1, $2, $3);
COMMIT
