-- Relations between customers. See 00001_place.sql for the rules of all tables of records.
--
-- Read as "other is the <type> of customer". A relation is found from both sides and one side is 0 when the party is no
-- customer, so neither is part of the key: questions about relations read them all, which are few columns and well packed.

-- +goose Up
CREATE TABLE IF NOT EXISTS relation
(
    relation_id       UInt64 CODEC(Delta, ZSTD(1)),
    customer_id       UInt64 CODEC(T64, ZSTD(1)),
    other_customer_id UInt64 CODEC(T64, ZSTD(1)),
    type              LowCardinality(String) CODEC(ZSTD(1)),
    formality         LowCardinality(String) CODEC(ZSTD(1)),
    valid_from        Nullable(Date32) CODEC(ZSTD(1)),
    valid_to          Nullable(Date32) CODEC(ZSTD(1)),
    -- Fractions from 0 to 1.
    weight            Nullable(Decimal(9, 8)) CODEC(ZSTD(1)),
    share             Nullable(Decimal(9, 8)) CODEC(ZSTD(1)),
    decision_power    LowCardinality(String) CODEC(ZSTD(1)),
    version           UInt64 CODEC(T64, ZSTD(1)),
    deleted           UInt8 CODEC(ZSTD(1)),
    change_time       DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(version, deleted)
ORDER BY relation_id
COMMENT 'Who is what to whom, from when to when, without names';
