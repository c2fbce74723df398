-- Contacts with customers. See 00001_place.sql for the rules of all tables of records.
--
-- Key: interaction_id. Ids grow with time, so a range of days is a range of the key for nearly all rows, although the
-- day itself can be corrected and is therefore no part of the key.

-- +goose Up
CREATE TABLE IF NOT EXISTS interaction
(
    interaction_id    UInt64 CODEC(Delta, ZSTD(1)),
    customer_id       UInt64 CODEC(T64, ZSTD(1)),
    kind              LowCardinality(String) CODEC(ZSTD(1)),
    channel           LowCardinality(String) CODEC(ZSTD(1)),
    opened_time       DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    business_date     Date CODEC(Delta, ZSTD(1)),
    manager_id        UInt64 CODEC(T64, ZSTD(1)),
    account_id        UInt64 CODEC(T64, ZSTD(1)),
    outcome           LowCardinality(String) CODEC(ZSTD(1)),
    duration_seconds  UInt32 CODEC(T64, ZSTD(1)),
    topic             LowCardinality(String) CODEC(ZSTD(1)),
    priority          LowCardinality(String) CODEC(ZSTD(1)),
    first_answer_time Nullable(DateTime64(6, 'UTC')) CODEC(ZSTD(1)),
    resolved_time     Nullable(DateTime64(6, 'UTC')) CODEC(ZSTD(1)),
    due_time          Nullable(DateTime64(6, 'UTC')) CODEC(ZSTD(1)),
    satisfaction      UInt8 CODEC(ZSTD(1)),
    version           UInt64 CODEC(T64, ZSTD(1)),
    deleted           UInt8 CODEC(ZSTD(1)),
    change_time       DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(version, deleted)
ORDER BY interaction_id
COMMENT 'Calls, visits, complaints and requests, without subject and text';
