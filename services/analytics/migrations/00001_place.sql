-- Regions, branches and managers: who serves customers, and where.
--
-- What holds for every table of records (files 1 to 6):
--   * One row is one version of one record. ReplacingMergeTree(version, deleted) keeps the highest version and, under
--     FINAL, drops records whose highest version says deleted. So changes may arrive twice and in any order.
--   * The sort key is the record's identity and nothing that can change: versions of one record must meet in one merge.
--     Tables of records are small next to transactions; a scan of one is cheaper than a second order to maintain.
--   * No partitions except for transactions: FINAL merges a record's versions only when they lie in one partition, and
--     a few million rows need none.
--   * version comes from Postgres, taken under the row lock; change_time is that of the change, not of its arrival, so
--     the same stream always gives the same rows.
--   * Ids are positive and dense: UInt64 with Delta packs to about a byte. 0 in a reference means "none".
--   * Words from a fixed list are LowCardinality(String): as small as an Enum, and a new word needs no migration.
--   * Days are Date32: people are born before 1970. Days outside 1900-01-01..2299-12-31 are stored as the nearest of the
--     two. NULL means unknown or open.
--   * Money is Decimal(38,4), exact, beside its ISO 4217 currency; "_base" means the bank's base currency.
--   * No names of people, numbers of documents, cards or accounts, addresses or free texts: they stay in Postgres.

-- +goose Up
CREATE TABLE IF NOT EXISTS region
(
    region_id           UInt64 CODEC(Delta, ZSTD(1)),
    name                String CODEC(ZSTD(1)),
    parent_name         LowCardinality(String) CODEC(ZSTD(1)),
    latitude            Nullable(Float64) CODEC(ZSTD(1)),
    longitude           Nullable(Float64) CODEC(ZSTD(1)),
    population          UInt64 CODEC(T64, ZSTD(1)),
    average_salary_base Nullable(Decimal(38, 4)) CODEC(ZSTD(1)),
    -- Published figures by name. They are statistics, not money: Float64 is right. A map, because each country
    -- publishes other ones.
    indicators          Map(LowCardinality(String), Float64) CODEC(ZSTD(1)),
    version             UInt64 CODEC(T64, ZSTD(1)),
    deleted             UInt8 CODEC(ZSTD(1)),
    change_time         DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(version, deleted)
ORDER BY region_id
COMMENT 'Parts of the country with their published figures';

CREATE TABLE IF NOT EXISTS branch
(
    branch_id   UInt64 CODEC(Delta, ZSTD(1)),
    name        String CODEC(ZSTD(1)),
    region_id   UInt64 CODEC(T64, ZSTD(1)),
    latitude    Nullable(Float64) CODEC(ZSTD(1)),
    longitude   Nullable(Float64) CODEC(ZSTD(1)),
    version     UInt64 CODEC(T64, ZSTD(1)),
    deleted     UInt8 CODEC(ZSTD(1)),
    change_time DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(version, deleted)
ORDER BY branch_id
COMMENT 'Branches of the bank';

CREATE TABLE IF NOT EXISTS manager
(
    manager_id  UInt64 CODEC(Delta, ZSTD(1)),
    branch_id   UInt64 CODEC(T64, ZSTD(1)),
    version     UInt64 CODEC(T64, ZSTD(1)),
    deleted     UInt8 CODEC(ZSTD(1)),
    change_time DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(version, deleted)
ORDER BY manager_id
COMMENT 'Managers who look after customers, without their names';
