-- How the segments and scores of a customer changed, the last first. A customer has a few hundred rows: both histories are read by
-- their key, so that each row knows its neighbours.
SELECT kind, name, present, coalesce(value, 0), coalesce(previous, 0), grade, as_of, definition_version, model_version, run_id::text,
       computed_at, applied_at, replaced_at, extract(epoch FROM clock_timestamp() - computed_at)::bigint
FROM (
    SELECT 1 AS kind, segment AS name, member AS present, NULL::float8 AS value, NULL::float8 AS previous, '' AS grade, as_of,
           definition_version, 0::bigint AS model_version, run_id, computed_at, applied_at,
           lead(applied_at) OVER (PARTITION BY segment ORDER BY applied_at) AS replaced_at
    FROM customer_segment_history
    WHERE customer_id = $1 AND $3 IN (0, 1) AND $4 IN ('', segment)
    UNION ALL
    SELECT 2, score, value IS NOT NULL, value, lag(value) OVER (PARTITION BY score ORDER BY applied_at), grade, as_of,
           definition_version, model_version, run_id, computed_at, applied_at,
           lead(applied_at) OVER (PARTITION BY score ORDER BY applied_at)
    FROM customer_score_history
    WHERE customer_id = $1 AND $3 IN (0, 2) AND $4 IN ('', score)
) AS change
WHERE $5::timestamptz IS NULL OR (applied_at, kind, name) < ($5, $6, $7 COLLATE "C")
ORDER BY applied_at DESC, kind DESC, name COLLATE "C" DESC
LIMIT $2
