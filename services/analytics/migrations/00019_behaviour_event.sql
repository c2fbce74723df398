-- What customers and visitors do on the bank's sites and in its apps: with transactions the second large table. See
-- 00001_place.sql for the rules of all tables of records.
--
-- Key: (kind, business_date, behaviour_event_id). Questions are about a kind of event in a span of days: who abandoned an
-- application last month, how many visits led to a download. Kind and time of an event never change, so they may stand
-- before the identity. The customer may not: an event of an unknown visitor gets its customer when the visitor is known,
-- and a version with another key would never meet the one it replaces. One customer's events are found by the skip index.
--
-- Partition: the month of business_date, a function of the key; the reasons are those of 00006_transaction.sql.
--
-- No TTL: how long events are kept is decided where the truth is, and rows that vanish by themselves would look like drift
-- to a reconciliation. A month that is no longer wanted is dropped as a partition.

-- +goose Up
CREATE TABLE IF NOT EXISTS behaviour_event
(
    behaviour_event_id UInt64 CODEC(Delta, ZSTD(1)),
    -- 0: the visitor is not known yet.
    customer_id        UInt64 CODEC(T64, ZSTD(1)),
    -- Anonymous, for example the id in a cookie.
    visitor_id         String CODEC(ZSTD(1)),
    kind               LowCardinality(String) CODEC(ZSTD(1)),
    event_time         DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    business_date      Date CODEC(Delta, ZSTD(1)),
    channel            LowCardinality(String) CODEC(ZSTD(1)),
    device             LowCardinality(String) CODEC(ZSTD(1)),
    -- Path without host, query and fragment. Some thousand pages make a dictionary; more of them cost little more than String.
    page               LowCardinality(String) CODEC(ZSTD(1)),
    campaign           LowCardinality(String) CODEC(ZSTD(1)),
    product_id         UInt64 CODEC(T64, ZSTD(1)),
    duration_seconds   UInt32 CODEC(T64, ZSTD(1)),
    version            UInt64 CODEC(T64, ZSTD(1)),
    deleted            UInt8 CODEC(ZSTD(1)),
    change_time        DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    INDEX behaviour_event_customer customer_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version, deleted)
PARTITION BY toYYYYMM(business_date)
ORDER BY (kind, business_date, behaviour_event_id)
COMMENT 'Visits, clicks, downloads and applications begun, without properties';
