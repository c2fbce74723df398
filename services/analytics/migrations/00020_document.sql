-- That there are documents, and of what kind; what they say stays in Postgres. See 00001_place.sql for the rules of all
-- tables of records.
--
-- Key: document_id. Kinds are a closed set, languages and media types few: all are dictionaries.

-- +goose Up
CREATE TABLE IF NOT EXISTS document
(
    document_id    UInt64 CODEC(Delta, ZSTD(1)),
    customer_id    UInt64 CODEC(T64, ZSTD(1)),
    kind           LowCardinality(String) CODEC(ZSTD(1)),
    account_id     UInt64 CODEC(T64, ZSTD(1)),
    contract_id    UInt64 CODEC(T64, ZSTD(1)),
    interaction_id UInt64 CODEC(T64, ZSTD(1)),
    written_time   Nullable(DateTime64(6, 'UTC')) CODEC(ZSTD(1)),
    language       LowCardinality(String) CODEC(ZSTD(1)),
    size_bytes     UInt32 CODEC(T64, ZSTD(1)),
    media_type     LowCardinality(String) CODEC(ZSTD(1)),
    version        UInt64 CODEC(T64, ZSTD(1)),
    deleted        UInt8 CODEC(ZSTD(1)),
    change_time    DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(version, deleted)
ORDER BY document_id
COMMENT 'Documents of customers without titles and texts; size_bytes is the length of the text';
