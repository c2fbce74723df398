-- One change at a time is the usual case, and costs Postgres less without the arrays.
INSERT INTO outbox (event_id, entity, entity_id, version, deleted, payload)
VALUES ($1, $2, $3, $4, $5, $6);
-- The same as append.sql for the commonest case. Unnesting eight arrays for one row costs several times the row itself.
INSERT INTO audit_entry (actor, peer, method, request_id, trace_id, action, entity, entity_id, version, customer_id, customer_ids, before, after)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, nullif($10::bigint, 0), $11::text::bigint[], $12::text::json, $13::text::json);
INSERT INTO request (request_id, input_hash, answer) VALUES ($1, $2, $3);
COMMIT
