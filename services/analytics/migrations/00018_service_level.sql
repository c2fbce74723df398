-- What the bank promises for complaints and requests. See 00001_place.sql for the rules of all tables of records.
--
-- Key: service_level_id. A few dozen rows, which interactions name by it.

-- +goose Up
CREATE TABLE IF NOT EXISTS service_level
(
    service_level_id   UInt64 CODEC(Delta, ZSTD(1)),
    name               String CODEC(ZSTD(1)),
    class              LowCardinality(String) CODEC(ZSTD(1)),
    kind               LowCardinality(String) CODEC(ZSTD(1)),
    priority           LowCardinality(String) CODEC(ZSTD(1)),
    first_answer_hours UInt32 CODEC(ZSTD(1)),
    resolution_hours   UInt32 CODEC(ZSTD(1)),
    calendar           LowCardinality(String) CODEC(ZSTD(1)),
    version            UInt64 CODEC(T64, ZSTD(1)),
    deleted            UInt8 CODEC(ZSTD(1)),
    change_time        DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(version, deleted)
ORDER BY service_level_id
COMMENT 'Hours to the first answer and the resolution, by class, kind and priority; 0: nothing is promised';
