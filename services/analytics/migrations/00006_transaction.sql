-- Transactions: the one large table. See 00001_place.sql for the rules of all tables of records.
--
-- Key: (account_id, business_date, transaction_id). Nearly every question is "per account, then per customer": rows of
-- one account lie together, so aggregation reads runs of one account, and the columns pack well. account_id and
-- business_date of a transaction never change (crm refuses it), so they may stand in the key before the identity.
--
-- Partition: the month of business_date. It is a function of the key, so versions of a row can never lie in two
-- partitions; FINAL may therefore treat each partition alone (do_not_merge_across_partitions_select_final), and a
-- window of days opens only its months. Months and not days: 30 years are 360 partitions.

-- +goose Up
CREATE TABLE IF NOT EXISTS transaction
(
    transaction_id UInt64 CODEC(Delta, ZSTD(1)),
    account_id     UInt64 CODEC(Delta, ZSTD(1)),
    -- Date, not Date32: two bytes, and no ledger here reaches back behind 1970.
    business_date  Date CODEC(Delta, ZSTD(1)),
    direction      LowCardinality(String) CODEC(ZSTD(1)),
    kind           LowCardinality(String) CODEC(ZSTD(1)),
    amount         Decimal(38, 4) CODEC(ZSTD(1)),
    currency       LowCardinality(String) CODEC(ZSTD(1)),
    -- The amount in the base currency at the rate of rate_date: what sums over accounts are made of.
    base_value     Decimal(38, 4) CODEC(ZSTD(1)),
    base_currency  LowCardinality(String) CODEC(ZSTD(1)),
    rate_date      Date CODEC(Delta, ZSTD(1)),
    -- In the account's currency; NULL when the source does not state it.
    balance_after  Nullable(Decimal(38, 4)) CODEC(ZSTD(1)),
    purpose        LowCardinality(String) CODEC(ZSTD(1)),
    state          LowCardinality(String) CODEC(ZSTD(1)),
    version        UInt64 CODEC(T64, ZSTD(1)),
    deleted        UInt8 CODEC(ZSTD(1)),
    change_time    DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(version, deleted)
PARTITION BY toYYYYMM(business_date)
ORDER BY (account_id, business_date, transaction_id)
COMMENT 'Movements on accounts';
