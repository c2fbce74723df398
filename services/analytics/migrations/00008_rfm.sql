-- Runs of recency, frequency and monetary value, and the customers' places in them.
--
-- A run is visible once its row in rfm_run stands: scores are written before it, under a run_id that nobody knows yet.
-- So a run that breaks off leaves rows that no question finds.

-- +goose Up
CREATE TABLE IF NOT EXISTS rfm_run
(
    run_id             UUID,
    as_of              Date,
    window_days        UInt32,
    transaction_kinds  Array(LowCardinality(String)),
    customers          UInt64,
    transactions       UInt64,
    monetary           Decimal(38, 4),
    base_currency      LowCardinality(String),
    recency_edges      Array(UInt32),
    frequency_edges    Array(UInt64),
    monetary_edges     Array(Decimal(38, 4)),
    computed_time      DateTime64(6, 'UTC'),
    -- Change time of the newest change in this database when the run started; 1970-01-01 when there was none.
    newest_event_time  DateTime64(6, 'UTC'),
    -- Whether every bundle of insights was acknowledged by NATS. It only ever turns from 0 to 1, so it is the version.
    insights_published UInt8
)
ENGINE = ReplacingMergeTree(insights_published)
ORDER BY run_id
COMMENT 'RFM runs with their settings, cut points and totals';

-- Partition: the year of as_of, so that old snapshots can be dropped as files and a run is in one place.
-- Key: (run_id, customer_id), the order of "by customer number", of one customer's score, and of the insights.
-- The projection holds the same rows in the order of "best first": a page deep in the list reads only its granules.
-- A plain MergeTree: each row is written exactly once, and a projection must not sit on rows that get replaced.
CREATE TABLE IF NOT EXISTS rfm_score
(
    run_id          UUID CODEC(ZSTD(1)),
    as_of           Date CODEC(ZSTD(1)),
    customer_id     UInt64 CODEC(Delta, ZSTD(1)),
    recency_days    UInt32 CODEC(T64, ZSTD(1)),
    frequency       UInt64 CODEC(T64, ZSTD(1)),
    monetary        Decimal(38, 4) CODEC(ZSTD(1)),
    recency_bin     UInt8 CODEC(T64, ZSTD(1)),
    frequency_bin   UInt8 CODEC(T64, ZSTD(1)),
    monetary_bin    UInt8 CODEC(T64, ZSTD(1)),
    -- Place in the run, 1 is best: by the sum of the bins, then monetary value, then customer number.
    place           UInt64 CODEC(T64, ZSTD(1)),
    PROJECTION best_first (SELECT * ORDER BY run_id, place)
)
ENGINE = MergeTree
PARTITION BY toYear(as_of)
ORDER BY (run_id, customer_id)
COMMENT 'Places of customers in RFM runs';

-- Values of customers while a run is computed: the aggregation is done once, its result is read for the cut points and
-- for the scores. A partition for each run, so that clearing up is dropping files; the TTL clears up after a crash. No
-- sort key: all of a run is read, twice, and sorting what is about to be sorted by place would be wasted.
CREATE TABLE IF NOT EXISTS rfm_value
(
    run_id       UUID,
    customer_id  UInt64,
    recency_days UInt32,
    frequency    UInt64,
    monetary     Decimal(38, 4),
    stored_time  DateTime DEFAULT now()
)
ENGINE = MergeTree
PARTITION BY run_id
ORDER BY tuple()
TTL stored_time + INTERVAL 1 DAY
SETTINGS ttl_only_drop_parts = 1
COMMENT 'Values of the RFM run being computed';
