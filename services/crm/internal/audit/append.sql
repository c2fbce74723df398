-- The order of the arrays is the order of entry_id.
INSERT INTO audit_entry (actor, peer, method, request_id, trace_id, action, entity, entity_id, version, customer_id, customer_ids, before, after)
SELECT $1, $2, $3, $4, $5, e.action, e.entity, e.entity_id, e.version, nullif(e.customer_id, 0), e.customer_ids::bigint[], e.before::json, e.after::json
FROM unnest($6::text[], $7::text[], $8::bigint[], $9::bigint[], $10::bigint[], $11::text[], $12::text[], $13::text[])
     AS e (action, entity, entity_id, version, customer_id, customer_ids, before, after);
