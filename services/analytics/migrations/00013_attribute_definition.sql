-- The attributes of customers that the bank defined. See 00001_place.sql for the rules of all tables of records.
--
-- Key: attribute_definition_id. A handful of rows, read whole.

-- +goose Up
CREATE TABLE IF NOT EXISTS attribute_definition
(
    attribute_definition_id UInt64 CODEC(Delta, ZSTD(1)),
    name                    String CODEC(ZSTD(1)),
    title                   String CODEC(ZSTD(1)),
    type                    LowCardinality(String) CODEC(ZSTD(1)),
    applies_to              LowCardinality(String) CODEC(ZSTD(1)),
    allowed_values          Array(String) CODEC(ZSTD(1)),
    required                UInt8 CODEC(ZSTD(1)),
    personal                UInt8 CODEC(ZSTD(1)),
    retired                 UInt8 CODEC(ZSTD(1)),
    version                 UInt64 CODEC(T64, ZSTD(1)),
    deleted                 UInt8 CODEC(ZSTD(1)),
    change_time             DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(version, deleted)
ORDER BY attribute_definition_id
COMMENT 'Definitions of the attributes that the bank keeps of its customers';
