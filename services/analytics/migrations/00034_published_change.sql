-- Every change that was received, without its content: when, of what, which version, by whom. The tables of records keep the
-- newest version of each; this one keeps them all, so that an entry of crm's audit that was deleted together with the event
-- of its change is missed.
--
-- Key: time first, because the comparison goes along both sides by time. A repeated message is equal in all columns and
-- merges. Partition: a function of the key, a month as in crm.

-- +goose Up
CREATE TABLE IF NOT EXISTS published_change
(
    change_time DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    entity      LowCardinality(String),
    entity_id   UInt64 CODEC(Delta, ZSTD(1)),
    version     UInt64 CODEC(T64, ZSTD(1)),
    actor       LowCardinality(String)
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(change_time)
ORDER BY (change_time, entity, entity_id, version)
COMMENT 'Changes received, one row each: the other side of the audit';
