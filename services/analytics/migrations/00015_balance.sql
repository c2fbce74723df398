-- Balances that core systems stated. See 00001_place.sql for the rules of all tables of records. Running balances come with
-- the transactions and are not repeated here.
--
-- Key: the account and the day; the version is the moment of the statement in microseconds, so the later one stands.

-- +goose Up
CREATE TABLE IF NOT EXISTS account_balance
(
    account_id    UInt64 CODEC(Delta, ZSTD(1)),
    business_date Date CODEC(Delta, ZSTD(1)),
    currency      LowCardinality(String) CODEC(ZSTD(1)),
    ledger        Decimal(38, 4) CODEC(ZSTD(1)),
    available     Nullable(Decimal(38, 4)) CODEC(ZSTD(1)),
    closing       UInt8 CODEC(ZSTD(1)),
    version       UInt64 CODEC(T64, ZSTD(1)),
    deleted       UInt8 CODEC(ZSTD(1)),
    change_time   DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(version, deleted)
ORDER BY (account_id, business_date)
COMMENT 'Balances stated by core systems, the last one of each day';
