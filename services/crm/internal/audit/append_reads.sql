-- The reads of several calls in one statement: each row says itself who called, and from where.
INSERT INTO audit_entry (actor, peer, method, request_id, trace_id, action, entity, entity_id, version, customer_id, customer_ids, before, after)
SELECT e.actor, e.peer, e.method, e.request_id, e.trace_id, e.action, e.entity, e.entity_id, 0, nullif(e.customer_id, 0),
       e.customer_ids::bigint[], NULL, e.after::json
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::bigint[], $10::text[], $11::text[])
     AS e (actor, peer, method, request_id, trace_id, action, entity, entity_id, customer_id, customer_ids, after);
