-- Runs of clusterings and where they put customers, in the manner of 00035_clv.sql: a run is visible once its row in
-- cluster_run stands. All of it is kept: a cluster of a past day is read, not computed again. Members are snapshots of
-- segments, too (00021_snapshot.sql), by the name <definition>/<number>.

-- +goose Up
CREATE TABLE IF NOT EXISTS cluster_run
(
    run_id             UUID,
    definition         LowCardinality(String),
    definition_version UInt64,
    -- SHA-256 of the completed settings.
    settings_key       FixedString(64),
    -- A tandem.definition.v1.ClusteringDefinition as JSON, every default filled in.
    settings           String,
    as_of              Date,
    customers          UInt64,
    -- Numbers of the clusters and how many customers each has.
    part_keys          Array(String),
    part_customers     Array(UInt64),
    -- The model and what it found, as JSON of the room cluster: only it reads and writes them.
    result             String,
    -- The run that crm showed until this one: who was in a cluster there and is not here leaves it. Zeros when there was none.
    replaced_run_id    UUID,
    replaced_as_of     Date,
    computed_time      DateTime64(6, 'UTC'),
    -- Change time of the newest change in this database when the run started; 1970-01-01 when there was none.
    newest_event_time  DateTime64(6, 'UTC'),
    -- Whether every bundle of insights was acknowledged by NATS. It only ever turns from 0 to 1, so it is the version.
    insights_published UInt8
)
ENGINE = ReplacingMergeTree(insights_published)
ORDER BY run_id
COMMENT 'Runs of clusterings with their settings and models';

-- Key and partition as in clv_value. The branch is that of the moment of the run.
CREATE TABLE IF NOT EXISTS cluster_member
(
    run_id        UUID CODEC(ZSTD(1)),
    as_of         Date CODEC(ZSTD(1)),
    customer_id   UInt64 CODEC(Delta, ZSTD(1)),
    branch_id     UInt64 CODEC(T64, ZSTD(1)),
    -- Number of the likeliest cluster.
    cluster       UInt32 CODEC(T64, ZSTD(1)),
    -- Probabilities of all clusters, in the order of the run's part_keys.
    probabilities Array(Float64) CODEC(ZSTD(1)),
    -- Facts in the order of the definition; NULL when not known.
    values        Array(Nullable(Float64)) CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toYear(as_of)
ORDER BY (run_id, customer_id)
COMMENT 'Clusters of customers, by run';

-- Facts of each customer while a run is computed, as clv_customer is for lifetime value: they are read more than once, and
-- must not move meanwhile.
CREATE TABLE IF NOT EXISTS cluster_value
(
    run_id      UUID,
    customer_id UInt64,
    branch_id   UInt64,
    values      Array(Nullable(Float64)),
    stored_time DateTime DEFAULT now()
)
ENGINE = MergeTree
PARTITION BY run_id
ORDER BY customer_id
TTL stored_time + INTERVAL 1 DAY
SETTINGS ttl_only_drop_parts = 1
COMMENT 'Facts of customers of the clustering run being computed';
