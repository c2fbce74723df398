-- What analysts define, what was run of it by schedule, and what the bank plans. See 00001_place.sql for the rules of all tables of records.

-- +goose Up

-- Every version of every definition is kept, because a run may ask for any of them, or for the one of a past time.
--
-- Key: (definition_id, version), the version of the record; so a version that comes twice replaces itself and nothing else.
-- A few hundred definitions with some dozen versions each, read whole.
CREATE TABLE IF NOT EXISTS definition
(
    definition_id UInt64 CODEC(Delta, ZSTD(1)),
    name          String CODEC(ZSTD(1)),
    title         String CODEC(ZSTD(1)),
    kind          LowCardinality(String) CODEC(ZSTD(1)),
    state         LowCardinality(String) CODEC(ZSTD(1)),
    owner         String CODEC(ZSTD(1)),
    reader_roles  Array(LowCardinality(String)) CODEC(ZSTD(1)),
    editor_roles  Array(LowCardinality(String)) CODEC(ZSTD(1)),
    -- Grows with changes of the spec only; this is the version that people name.
    spec_version  UInt64 CODEC(T64, ZSTD(1)),
    -- tandem.definition.v1.Spec as JSON.
    spec          String CODEC(ZSTD(3)),
    spec_time     DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    -- Empty when it is not run by itself.
    cron          String CODEC(ZSTD(1)),
    days_back     UInt32 CODEC(ZSTD(1)),
    paused        UInt8 CODEC(ZSTD(1)),
    version       UInt64 CODEC(T64, ZSTD(1)),
    deleted       UInt8 CODEC(ZSTD(1)),
    change_time   DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(version, deleted)
ORDER BY (definition_id, version)
COMMENT 'Definitions of RFM, lifetime value, reports …: every version that ever was';

-- Runs of definitions by schedule or by hand, one for each version and as_of; what happens to it replaces what was.
--
-- Key: (definition_id, spec_version, as_of), which is what a run must not be done twice for.
CREATE TABLE IF NOT EXISTS schedule_run
(
    definition_id UInt64,
    spec_version  UInt64,
    as_of         Date,
    name          String,
    kind          LowCardinality(String),
    -- When the schedule fired; 1970-01-01 for a run by hand.
    fire_time     DateTime64(6, 'UTC'),
    start_time    DateTime64(6, 'UTC'),
    -- 1970-01-01 while it runs.
    end_time      DateTime64(6, 'UTC'),
    -- running, done, failed, given_up.
    outcome       LowCardinality(String),
    result        String,
    error         String,
    attempts      UInt32,
    -- Grows with every row of a run.
    changed_time  DateTime64(6, 'UTC')
)
ENGINE = ReplacingMergeTree(changed_time)
ORDER BY (definition_id, spec_version, as_of)
COMMENT 'Runs of definitions by schedule or by hand, and how they ended';

-- Plans. Every version of every figure is kept: what was planned on a past day can be asked for. The figure in force is the
-- one with the greatest plan_version; plan_value_at gives it.
--
-- Key: (plan_id, indicator, unit_kind, unit_id, unit_name, period, period_start, currency, plan_version). Questions are "this
-- indicator of this plan for all branches, over some months", so the plan, the indicator and the kind of unit come first;
-- plan_version comes last, so that the versions of a figure lie together. A version that comes twice replaces itself.
CREATE TABLE IF NOT EXISTS plan_value
(
    plan_id      UInt64 CODEC(Delta, ZSTD(1)),
    name         LowCardinality(String) CODEC(ZSTD(1)),
    indicator    LowCardinality(String) CODEC(ZSTD(1)),
    -- bank, region, branch, manager, customer, segment, sector or campaign.
    unit_kind LowCardinality(String) CODEC(ZSTD(1)),
    -- Number of the region, branch, manager or customer; 0 for the other kinds.
    unit_id   UInt64 CODEC(ZSTD(1)),
    -- Name of the segment, sector or campaign; empty for the other kinds.
    unit_name LowCardinality(String) CODEC(ZSTD(1)),
    -- month, quarter or year.
    period       LowCardinality(String) CODEC(ZSTD(1)),
    period_start Date CODEC(Delta, ZSTD(1)),
    amount       Decimal(38, 4) CODEC(ZSTD(1)),
    -- Of the amount and the price; empty for an indicator that is no money.
    currency     LowCardinality(String) CODEC(ZSTD(1)),
    volume       Nullable(Decimal(38, 8)) CODEC(ZSTD(1)),
    price        Nullable(Decimal(38, 8)) CODEC(ZSTD(1)),
    -- 1 when the figure is planned no longer from this version on.
    withdrawn    UInt8 CODEC(ZSTD(1)),
    plan_version UInt64 CODEC(T64, ZSTD(1)),
    plan_time    DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    version      UInt64 CODEC(T64, ZSTD(1)),
    deleted      UInt8 CODEC(ZSTD(1)),
    change_time  DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(version, deleted)
ORDER BY (plan_id, indicator, unit_kind, unit_id, unit_name, period, period_start, currency, plan_version)
COMMENT 'Planned figures: every version that ever was';
