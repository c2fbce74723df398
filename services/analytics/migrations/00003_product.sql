-- Products and contracts. See 00001_place.sql for the rules of all tables of records.
--
-- A contract may move to another account, so account_id is no part of its key.

-- +goose Up
CREATE TABLE IF NOT EXISTS product
(
    product_id  UInt64 CODEC(Delta, ZSTD(1)),
    code        String CODEC(ZSTD(1)),
    name        String CODEC(ZSTD(1)),
    family      LowCardinality(String) CODEC(ZSTD(1)),
    currency    LowCardinality(String) CODEC(ZSTD(1)),
    -- A yearly rate as a fraction, hence eight places and not money's four.
    margin      Nullable(Decimal(18, 8)) CODEC(ZSTD(1)),
    valid_from  Nullable(Date32) CODEC(ZSTD(1)),
    valid_to    Nullable(Date32) CODEC(ZSTD(1)),
    version     UInt64 CODEC(T64, ZSTD(1)),
    deleted     UInt8 CODEC(ZSTD(1)),
    change_time DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(version, deleted)
ORDER BY product_id
COMMENT 'Products that the bank sells';

CREATE TABLE IF NOT EXISTS contract
(
    contract_id         UInt64 CODEC(Delta, ZSTD(1)),
    kind                LowCardinality(String) CODEC(ZSTD(1)),
    state               LowCardinality(String) CODEC(ZSTD(1)),
    account_id          UInt64 CODEC(T64, ZSTD(1)),
    product_id          UInt64 CODEC(T64, ZSTD(1)),
    amount              Nullable(Decimal(38, 4)) CODEC(ZSTD(1)),
    amount_currency     LowCardinality(String) CODEC(ZSTD(1)),
    instalment          Nullable(Decimal(38, 4)) CODEC(ZSTD(1)),
    instalment_currency LowCardinality(String) CODEC(ZSTD(1)),
    duration_months     UInt32 CODEC(T64, ZSTD(1)),
    opened              Nullable(Date32) CODEC(ZSTD(1)),
    closed              Nullable(Date32) CODEC(ZSTD(1)),
    purpose             LowCardinality(String) CODEC(ZSTD(1)),
    version             UInt64 CODEC(T64, ZSTD(1)),
    deleted             UInt8 CODEC(ZSTD(1)),
    change_time         DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(version, deleted)
ORDER BY contract_id
COMMENT 'Loans, deposits and standing orders';
