-- What customers allow the bank to do. See 00001_place.sql for the rules of all tables of records.
--
-- Key: consent_id. Purposes are the bank's own codes, few, and channels a closed set, so both are dictionaries. Whether a
-- customer consents at a time is worked out from the rows of the customer, as the operational half does it: of the
-- decisions for the channel and for any channel, the newest that has not expired.

-- +goose Up
CREATE TABLE IF NOT EXISTS consent
(
    consent_id      UInt64 CODEC(Delta, ZSTD(1)),
    customer_id     UInt64 CODEC(T64, ZSTD(1)),
    purpose         LowCardinality(String) CODEC(ZSTD(1)),
    channel         LowCardinality(String) CODEC(ZSTD(1)),
    granted_time    Nullable(DateTime64(6, 'UTC')) CODEC(ZSTD(1)),
    expires_time    Nullable(DateTime64(6, 'UTC')) CODEC(ZSTD(1)),
    wording_version LowCardinality(String) CODEC(ZSTD(1)),
    granted_how     LowCardinality(String) CODEC(ZSTD(1)),
    withdrawn_time  Nullable(DateTime64(6, 'UTC')) CODEC(ZSTD(1)),
    withdrawn_how   LowCardinality(String) CODEC(ZSTD(1)),
    version         UInt64 CODEC(T64, ZSTD(1)),
    deleted         UInt8 CODEC(ZSTD(1)),
    change_time     DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(version, deleted)
ORDER BY consent_id
COMMENT 'Consents with their withdrawals, without proofs and reasons';
