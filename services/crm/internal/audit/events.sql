-- Changes against events of transactions that began from $1 to before $2: those that only one side knows, at most $4. $3 are
-- the entities that have events. The first row counts the events. A record's change is known by its version; what is
-- written in bundles has one entry for those of a transaction. What is older than the oldest event has none any more.
WITH event AS (
    SELECT entity, entity LIKE '%\_bundle' AS bundled, xact_id, entity_id, version, created_at
    FROM outbox WHERE created_at >= $1 AND created_at < $2 AND entity = ANY($3)
), entry AS (
    SELECT entity, entity LIKE '%\_bundle' AS bundled, xact_id, entity_id, version, at, entry_id, actor
    FROM audit_entry WHERE at >= $1 AND at < $2 AND entity = ANY($3) AND action IN ('create', 'update', 'delete')
        AND at >= (SELECT min(created_at) FROM outbox)
), event_key AS (
    SELECT entity, CASE WHEN bundled THEN xact_id::text::bigint ELSE entity_id END AS key, CASE WHEN bundled THEN 0 ELSE version END AS step,
        min(entity_id) AS entity_id, min(version) AS version, min(created_at) AS at, count(*) AS events
    FROM event GROUP BY 1, 2, 3
), entry_key AS (
    SELECT entity, CASE WHEN bundled THEN xact_id::text::bigint ELSE entity_id END AS key, CASE WHEN bundled THEN 0 ELSE version END AS step,
        min(entity_id) AS entity_id, min(version) AS version, min(at) AS at, min(entry_id) AS entry_id, min(actor) AS actor
    FROM entry GROUP BY 1, 2, 3
)
SELECT (SELECT coalesce(sum(events), 0)::bigint FROM event_key), '', 0::bigint, 0::bigint, NULL::timestamptz, false, 0::bigint, ''
UNION ALL (
    SELECT 0, coalesce(v.entity, e.entity), coalesce(v.entity_id, e.entity_id), coalesce(v.version, e.version), coalesce(v.at, e.at),
        e.entity IS NULL, coalesce(e.entry_id, 0), coalesce(e.actor, '')
    FROM event_key v FULL JOIN entry_key e USING (entity, key, step)
    WHERE v.entity IS NULL OR e.entity IS NULL
    ORDER BY 5, 2, 3, 4
    LIMIT $4
);
