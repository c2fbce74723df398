BEGIN;
SELECT nextval('interaction_interaction_id_seq'), now();
SELECT customer_id, source, external_id FROM customer WHERE customer_id = ANY((SELECT $1::bigint[])::bigint[]);
SELECT manager_id, source, external_id FROM manager WHERE manager_id = ANY((SELECT $1::bigint[])::bigint[]);
INSERT INTO interaction (interaction_id, source, external_id, content_hash, import_id, customer_id, kind, channel, opened_at, manager_id, account_id, subject, text, outcome, duration_seconds, topic, priority, first_answer_at, resolved_at, due_at, satisfaction, participants, contract_id, card_id, campaign, place, latitude, longitude, documents, class, service_level_id, first_answer_due_at, reopened_count, reopened_at, rated_at) OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35)
