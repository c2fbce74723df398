-- One change at a time is the usual case, and costs Postgres less without the arrays.
INSERT INTO outbox (event_id, entity, entity_id, version, deleted, payload)
VALUES ($1, $2, $3, $4, $5, $6)
