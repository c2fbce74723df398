-- The same as append.sql for the commonest case: unnesting six arrays for one row costs several times the row itself.
INSERT INTO outbox (event_id, entity, entity_id, version, deleted, payload) VALUES ($1, $2, $3, $4, $5, $6);
