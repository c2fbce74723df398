-- Plans. See 00001_place.sql for the rules of all tables of records.
--
-- Every version of every figure is kept: what was planned on a past day can be asked for. The figure in force is the one
-- with the greatest plan_version; plan_value_at gives it.
--
-- Key: (plan_id, indicator, unit_kind, unit_id, unit_name, period, period_start, currency, plan_version). Questions
-- are "this indicator of this plan for all branches, over some months", so the plan, the indicator and the kind of unit
-- come first; plan_version comes last, so that the versions of a figure lie together. A version that comes twice replaces
-- itself.

-- +goose Up
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

-- The figures as they were planned at a moment, without those withdrawn by then:
-- SELECT … FROM plan_value_at(at = '2026-03-01 00:00:00'); at = '2299-01-01 00:00:00' are those in force.
CREATE VIEW IF NOT EXISTS plan_value_at AS
SELECT * EXCEPT withdrawn FROM
(
    SELECT
        plan_id, name, indicator, unit_kind, unit_id, unit_name, period, period_start, currency,
        amount, volume, price, withdrawn, plan_version, plan_time
    FROM plan_value FINAL
    WHERE plan_time <= {at:DateTime64(6)}
    ORDER BY plan_version DESC
    LIMIT 1 BY plan_id, indicator, unit_kind, unit_id, unit_name, period, period_start, currency
)
WHERE withdrawn = 0
COMMENT 'Planned figures as they stood at a moment';
