-- Segments: what their snapshots were made of, who belongs to those that are followed, and who joined and left.

-- +goose Up
ALTER TABLE segment_run
    -- All customers on the day.
    ADD COLUMN IF NOT EXISTS base_customers UInt64,
    -- Versions of the segments that it refers to, by name.
    ADD COLUMN IF NOT EXISTS reference_versions Map(String, UInt32),
    -- Thresholds by the text of their function, "top(clv, 10%)" for example; an empty one when nobody had a value.
    ADD COLUMN IF NOT EXISTS thresholds Map(String, String);

-- Members of a snapshot once more, as a bitmap: sets of millions are combined in memory.
--
-- Key: the run. A bitmap that comes twice is the same.
CREATE TABLE IF NOT EXISTS segment_membership
(
    run_id  UUID,
    -- Customer numbers as a 64-bit Roaring bitmap (Lemire et al., 2016) in its portable form.
    members String CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
ORDER BY run_id
COMMENT 'Members of snapshots of segments as bitmaps';

-- Every join and leave of segments as they are followed. Who is a member at a moment follows from it: whose newest event up to then
-- is a join.
--
-- Key: (customer_id, segment, event_time), so that what became of a customer lies together, and a fact of some customers reads a
-- few stretches. Events of a segment are few against the questions about customers; they are found by month and by the index
-- over their time, which all events of one evaluation share.
CREATE TABLE IF NOT EXISTS segment_event
(
    segment            LowCardinality(String) CODEC(ZSTD(1)),
    customer_id        UInt64 CODEC(Delta, ZSTD(1)),
    event_time         DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    -- 1 for a join, 0 for a leave.
    joined             UInt8 CODEC(ZSTD(1)),
    definition_version UInt32 CODEC(ZSTD(1)),
    as_of              Date CODEC(ZSTD(1)),
    -- Evaluation that found it.
    run_id             UUID CODEC(ZSTD(1)),
    -- change, definition, day, catch_up or archived.
    cause              LowCardinality(String) CODEC(ZSTD(1)),
    -- Kinds of records that changed.
    changed            Array(LowCardinality(String)) CODEC(ZSTD(1)),
    INDEX by_time event_time TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(event_time)
ORDER BY (customer_id, segment, event_time)
COMMENT 'Joins and leaves of segments';

-- Evaluations that found events. One is written before its events and again behind them, so that none is lost on its way home.
--
-- Key: the run.
CREATE TABLE IF NOT EXISTS segment_evaluation
(
    run_id             UUID,
    as_of              Date,
    -- Of all its events.
    event_time         DateTime64(6, 'UTC'),
    -- 1 when all its events are written.
    complete           UInt8,
    insights_published UInt8,
    -- Grows with every row of an evaluation.
    changed_time       DateTime64(6, 'UTC')
)
ENGINE = ReplacingMergeTree(changed_time)
ORDER BY run_id
COMMENT 'Evaluations of followed segments that found joins or leaves';

-- Who belonged to a followed segment at a moment, so that a start reads the events behind it only.
--
-- Key: the segment.
CREATE TABLE IF NOT EXISTS segment_state
(
    segment    String,
    -- Versions of the definition and of those that it refers to.
    signature  String CODEC(ZSTD(1)),
    -- Time of the newest event that is in it.
    reached    DateTime64(6, 'UTC'),
    -- As in segment_membership.
    members    String CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(reached)
ORDER BY segment
COMMENT 'Members of followed segments as bitmaps';
