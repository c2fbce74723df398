-- How scores came about, beside the snapshots of 00021_snapshot.sql: runs with what they were made of, contributions of each
-- customer, and the registry of trained models. Nothing is ever changed, so an explanation of a past score is read, not computed.

-- +goose Up
-- The row comes last and makes a run visible to the service; score_run, just before it, does so to the views of bi.
CREATE TABLE IF NOT EXISTS score_run_detail
(
    run_id             UUID,
    score              LowCardinality(String),
    definition_version UInt32,
    -- "scorecard" or "model".
    kind               LowCardinality(String),
    as_of              Date,
    customers          UInt64,
    mean               Float64,
    -- Grades with their customers and the means of their scores, in the order of the definition; '' comes last.
    grade_names        Array(LowCardinality(String)),
    grade_customers    Array(UInt64),
    grade_means        Array(Float64),
    -- What the positions of arrays in score_part mean, as JSON.
    plan               String,
    -- Day the model was trained as of, as a number, 20260630 for example; 0 without one.
    model_version      UInt32,
    challenger_version UInt32,
    -- Log-odds of the mean of the training; 0 for scorecards.
    base               Float64,
    -- Population stability index of the log-odds and of each feature, against the training.
    stability          Float64,
    feature_stability  Array(Float64),
    -- Of the challenger: mean, correlation with the champion, mean distance from it.
    challenge          Array(Float64),
    computed_time      DateTime64(6, 'UTC'),
    newest_event_time  DateTime64(6, 'UTC'),
    -- Whether every bundle of insights was acknowledged by NATS. It only ever turns from 0 to 1, so it is the version.
    insights_published UInt8
)
ENGINE = ReplacingMergeTree(insights_published)
ORDER BY run_id
COMMENT 'Runs of scores with what they were made of';

-- Key and partition as in score. Explanations read one customer: small granules make that one short stretch of the file.
CREATE TABLE IF NOT EXISTS score_part
(
    score       LowCardinality(String) CODEC(ZSTD(1)),
    as_of       Date CODEC(ZSTD(1)),
    run_id      UUID CODEC(ZSTD(1)),
    customer_id UInt64 CODEC(Delta, ZSTD(1)),
    -- Contributions by criterion or feature: with the base they add up, exactly.
    parts       Array(Float64) CODEC(ZSTD(1)),
    -- Points by dimension, before weights; empty for models.
    dimensions  Array(Float64) CODEC(ZSTD(1)),
    -- Facts as they were.
    observed    Array(String) CODEC(ZSTD(1)),
    -- Probability by the challenger; NaN without one.
    challenger  Float64 CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toYear(as_of)
ORDER BY (score, as_of, run_id, customer_id)
SETTINGS index_granularity = 1024
COMMENT 'What the scores of customers are made of';

-- The registry. A model is named by its definition, the settings that it was trained by, and the day; the same three give the
-- same model, so a second training replaces the first.
CREATE TABLE IF NOT EXISTS score_model
(
    score              LowCardinality(String),
    -- SHA-256 of the part of the definition that a training depends on.
    model_key          FixedString(64),
    trained_as_of      Date,
    definition_version UInt32,
    -- Encoders, parameters, figures and distributions, as JSON.
    model              String,
    -- Figures for those who look at the table: of the training and, NaN without one, of the holdout.
    customers          UInt64,
    events             UInt64,
    auc                Float64,
    holdout_auc        Float64,
    computed_time      DateTime64(6, 'UTC'),
    newest_event_time  DateTime64(6, 'UTC')
)
ENGINE = ReplacingMergeTree(computed_time)
ORDER BY (score, model_key, trained_as_of)
COMMENT 'Registry of trained scores: parameters, data, figures';
