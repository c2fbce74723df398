-- Customers, by their customer number. See 00001_place.sql for the rules of all tables of records.
--
-- Key: customer_id. Joins from accounts, scores and segments come by it, and dense numbers make bitmaps small.

-- +goose Up
CREATE TABLE IF NOT EXISTS customer
(
    customer_id              UInt64 CODEC(Delta, ZSTD(1)),
    kind                     LowCardinality(String) CODEC(ZSTD(1)),
    state                    LowCardinality(String) CODEC(ZSTD(1)),
    region_id                UInt64 CODEC(T64, ZSTD(1)),
    branch_id                UInt64 CODEC(T64, ZSTD(1)),
    manager_id               UInt64 CODEC(T64, ZSTD(1)),
    -- The exact day stays in this database: views for analysts show age bands.
    birth_date               Nullable(Date32) CODEC(ZSTD(1)),
    sex                      LowCardinality(String) CODEC(ZSTD(1)),
    occupation               LowCardinality(String) CODEC(ZSTD(1)),
    monthly_income           Nullable(Decimal(38, 4)) CODEC(ZSTD(1)),
    monthly_income_currency  LowCardinality(String) CODEC(ZSTD(1)),
    industry_nace            LowCardinality(String) CODEC(ZSTD(1)),
    employees                UInt32 CODEC(T64, ZSTD(1)),
    annual_turnover          Nullable(Decimal(38, 4)) CODEC(ZSTD(1)),
    annual_turnover_currency LowCardinality(String) CODEC(ZSTD(1)),
    founded                  Nullable(Date32) CODEC(ZSTD(1)),
    customer_since           Nullable(Date32) CODEC(ZSTD(1)),
    version                  UInt64 CODEC(T64, ZSTD(1)),
    deleted                  UInt8 CODEC(ZSTD(1)),
    change_time              DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(version, deleted)
ORDER BY customer_id
COMMENT 'Customers, individuals and organisations, with their analytical attributes';
