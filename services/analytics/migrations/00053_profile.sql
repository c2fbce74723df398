-- Runs of profile schemes and where they put customers, in the manner of 00052_cluster.sql. Members of cells are snapshots of
-- segments, too, by the name <definition>/<cell>.

-- +goose Up
CREATE TABLE IF NOT EXISTS profile_run
(
    run_id             UUID,
    definition         LowCardinality(String),
    definition_version UInt64,
    -- SHA-256 of the settings.
    settings_key       FixedString(64),
    -- A tandem.definition.v1.ProfileSchemeDefinition as JSON.
    settings           String,
    as_of              Date,
    customers          UInt64,
    -- Names of the cells and how many customers each has.
    part_keys          Array(String),
    part_customers     Array(UInt64),
    -- Empty: all that a run found is in profile_place.
    result             String,
    -- The run that crm showed until this one; zeros when there was none.
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
COMMENT 'Runs of profile schemes with their settings';

-- Key and partition as in cluster_member. The branch is that of the moment of the run.
CREATE TABLE IF NOT EXISTS profile_place
(
    run_id               UUID CODEC(ZSTD(1)),
    as_of                Date CODEC(ZSTD(1)),
    customer_id          UInt64 CODEC(Delta, ZSTD(1)),
    branch_id            UInt64 CODEC(T64, ZSTD(1)),
    -- Facts as text and the points that they gave, by attractiveness, interaction and risk, each in the order of the definition.
    values               Array(String) CODEC(ZSTD(1)),
    points               Array(Float64) CODEC(ZSTD(1)),
    -- Weighted means of the points, and numbers of the levels from 1.
    attractiveness       Float64 CODEC(ZSTD(1)),
    interaction          Float64 CODEC(ZSTD(1)),
    risk                 Float64 CODEC(ZSTD(1)),
    attractiveness_level UInt8 CODEC(ZSTD(1)),
    interaction_level    UInt8 CODEC(ZSTD(1)),
    risk_level           UInt8 CODEC(ZSTD(1)),
    cell                 LowCardinality(String) CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toYear(as_of)
ORDER BY (run_id, customer_id)
COMMENT 'Cells of customers in profile schemes, by run';
