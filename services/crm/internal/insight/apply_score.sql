-- As apply_rfm.sql, for the values of one score.
WITH standing AS (
INSERT INTO customer_score AS stored
       (customer_id, score, value, grade, as_of, run_id, definition_version, model_version, computed_at, applied_at)
SELECT r.customer_id, $4, r.value, r.grade, $1, $2, $5, $6, $3, clock_timestamp()
FROM unnest($7::bigint[], $8::float8[], $9::text[]) AS r (customer_id, value, grade)
WHERE r.customer_id = ANY ($10::bigint[])
ORDER BY r.customer_id
ON CONFLICT (customer_id, score) DO UPDATE SET
       value = excluded.value, grade = excluded.grade, as_of = excluded.as_of, run_id = excluded.run_id,
       definition_version = excluded.definition_version, model_version = excluded.model_version,
       computed_at = excluded.computed_at, applied_at = clock_timestamp()
WHERE (excluded.as_of, excluded.computed_at) > (stored.as_of, stored.computed_at)
RETURNING *
)
INSERT INTO customer_score_history
       (customer_id, score, value, grade, as_of, run_id, definition_version, model_version, computed_at, applied_at)
SELECT customer_id, score, value, grade, as_of, run_id, definition_version, model_version, computed_at, applied_at FROM standing;
