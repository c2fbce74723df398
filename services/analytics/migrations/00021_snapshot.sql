-- Snapshots of segments and scores, in the manner of 00008_rfm.sql: a run is visible once its row in the table of runs stands,
-- its members are written before it under a run_id that nobody knows yet, and nothing is ever changed. So every run stays
-- as it was computed, and two of them can be compared.
--
-- Key: first what every question names, the segment or score and its day, then the run, then the customer: a snapshot is one
-- stretch of the file, and two snapshots join as sorted runs. Partition: the year of as_of, so that old years can be dropped as
-- files. A row comes once, therefore MergeTree and no FINAL.

-- +goose Up
CREATE TABLE IF NOT EXISTS segment_run
(
    run_id             UUID COMMENT 'Identity of the run',
    segment            LowCardinality(String) COMMENT 'Name of the definition of the segment',
    definition_version UInt32 COMMENT 'Version of the definition that was run',
    as_of              Date COMMENT 'Day whose state was looked at',
    customers          UInt64 COMMENT 'Members found',
    computed_time      DateTime64(6, 'UTC') COMMENT 'When the run ended',
    newest_event_time  DateTime64(6, 'UTC') COMMENT 'Change time of the newest change behind the run; 1970-01-01 when there was none'
)
ENGINE = ReplacingMergeTree(computed_time)
ORDER BY run_id
COMMENT 'Runs of segments that are finished';

CREATE TABLE IF NOT EXISTS segment_member
(
    segment     LowCardinality(String) COMMENT 'Name of the definition of the segment' CODEC(ZSTD(1)),
    as_of       Date COMMENT 'Day whose state was looked at' CODEC(ZSTD(1)),
    run_id      UUID COMMENT 'Run that found the customer' CODEC(ZSTD(1)),
    customer_id UInt64 COMMENT 'Customer in the segment' CODEC(Delta, ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toYear(as_of)
ORDER BY (segment, as_of, run_id, customer_id)
COMMENT 'Members of segments, one snapshot for each run';

CREATE TABLE IF NOT EXISTS score_run
(
    run_id             UUID COMMENT 'Identity of the run',
    score              LowCardinality(String) COMMENT 'Name of the definition of the score',
    definition_version UInt32 COMMENT 'Version of the definition that was run',
    as_of              Date COMMENT 'Day whose state was looked at',
    customers          UInt64 COMMENT 'Customers scored',
    computed_time      DateTime64(6, 'UTC') COMMENT 'When the run ended',
    newest_event_time  DateTime64(6, 'UTC') COMMENT 'Change time of the newest change behind the run; 1970-01-01 when there was none'
)
ENGINE = ReplacingMergeTree(computed_time)
ORDER BY run_id
COMMENT 'Runs of scores that are finished';

-- A score is an estimate and not money: Float64 is right.
CREATE TABLE IF NOT EXISTS score
(
    score       LowCardinality(String) COMMENT 'Name of the definition of the score' CODEC(ZSTD(1)),
    as_of       Date COMMENT 'Day whose state was looked at' CODEC(ZSTD(1)),
    run_id      UUID COMMENT 'Run that computed it' CODEC(ZSTD(1)),
    customer_id UInt64 COMMENT 'Customer scored' CODEC(Delta, ZSTD(1)),
    value       Float64 COMMENT 'The score, in the unit of its definition' CODEC(ZSTD(1)),
    band        LowCardinality(String) COMMENT 'Band of the definition that the value lies in' CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toYear(as_of)
ORDER BY (score, as_of, run_id, customer_id)
COMMENT 'Scores of customers, one snapshot for each run';
