-- Accounts, who holds them, and cards. See 00001_place.sql for the rules of all tables of records.
--
-- A holding is its own record with its own id and its account could be corrected, so account_id is no part of its key.

-- +goose Up
CREATE TABLE IF NOT EXISTS account
(
    account_id          UInt64 CODEC(Delta, ZSTD(1)),
    currency            LowCardinality(String) CODEC(ZSTD(1)),
    product_id          UInt64 CODEC(T64, ZSTD(1)),
    region_id           UInt64 CODEC(T64, ZSTD(1)),
    branch_id           UInt64 CODEC(T64, ZSTD(1)),
    state               LowCardinality(String) CODEC(ZSTD(1)),
    statement_frequency LowCardinality(String) CODEC(ZSTD(1)),
    opened              Nullable(Date32) CODEC(ZSTD(1)),
    closed              Nullable(Date32) CODEC(ZSTD(1)),
    version             UInt64 CODEC(T64, ZSTD(1)),
    deleted             UInt8 CODEC(ZSTD(1)),
    change_time         DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(version, deleted)
ORDER BY account_id
COMMENT 'Accounts, without their numbers';

CREATE TABLE IF NOT EXISTS account_holder
(
    account_holder_id UInt64 CODEC(Delta, ZSTD(1)),
    account_id        UInt64 CODEC(Delta, ZSTD(1)),
    customer_id       UInt64 CODEC(Delta, ZSTD(1)),
    role              LowCardinality(String) CODEC(ZSTD(1)),
    valid_from        Nullable(Date32) CODEC(ZSTD(1)),
    valid_to          Nullable(Date32) CODEC(ZSTD(1)),
    version           UInt64 CODEC(T64, ZSTD(1)),
    deleted           UInt8 CODEC(ZSTD(1)),
    change_time       DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(version, deleted)
ORDER BY account_holder_id
COMMENT 'Who holds which account, in which role, from when to when';

CREATE TABLE IF NOT EXISTS card
(
    card_id     UInt64 CODEC(Delta, ZSTD(1)),
    customer_id UInt64 CODEC(T64, ZSTD(1)),
    account_id  UInt64 CODEC(T64, ZSTD(1)),
    product_id  UInt64 CODEC(T64, ZSTD(1)),
    scheme      LowCardinality(String) CODEC(ZSTD(1)),
    state       LowCardinality(String) CODEC(ZSTD(1)),
    issued      Nullable(Date32) CODEC(ZSTD(1)),
    expiry      Nullable(Date32) CODEC(ZSTD(1)),
    version     UInt64 CODEC(T64, ZSTD(1)),
    deleted     UInt8 CODEC(ZSTD(1)),
    change_time DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(version, deleted)
ORDER BY card_id
COMMENT 'Cards, without token and digits';
