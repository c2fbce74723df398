-- Changes that entries tell of, made from $1 to before $2. The order is that of bytes, as ClickHouse has it.
SELECT at, entity, entity_id, version FROM audit_entry
WHERE at >= $1 AND at < $2 AND action IN ('create', 'update', 'delete')
ORDER BY at, entity COLLATE "C", entity_id, version;
