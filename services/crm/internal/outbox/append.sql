-- The order of the arrays is the order of outbox_id.
INSERT INTO outbox (event_id, entity, entity_id, version, deleted, payload)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::boolean[], $6::bytea[]);
