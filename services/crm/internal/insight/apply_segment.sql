-- As apply_rfm.sql, for the members of one segment.
WITH standing AS (
INSERT INTO customer_segment AS stored
       (customer_id, segment, member, as_of, run_id, definition_version, computed_at, applied_at)
SELECT r.customer_id, $4, r.member, $1, $2, $5, $3, clock_timestamp()
FROM unnest($6::bigint[], $7::boolean[]) AS r (customer_id, member)
WHERE r.customer_id = ANY ($8::bigint[])
ORDER BY r.customer_id
ON CONFLICT (customer_id, segment) DO UPDATE SET
       member = excluded.member, as_of = excluded.as_of, run_id = excluded.run_id, definition_version = excluded.definition_version,
       computed_at = excluded.computed_at, applied_at = clock_timestamp()
WHERE (excluded.as_of, excluded.computed_at) > (stored.as_of, stored.computed_at)
RETURNING *
)
INSERT INTO customer_segment_history (customer_id, segment, member, as_of, run_id, definition_version, computed_at, applied_at)
SELECT customer_id, segment, member, as_of, run_id, definition_version, computed_at, applied_at FROM standing;
