-- RFM with three to five bins, fixed edges, and names for cells. A cell's segment stands once in the run and not in each
-- score: it follows from the cell.

-- +goose Up
ALTER TABLE rfm_run
    ADD COLUMN IF NOT EXISTS bins UInt8 DEFAULT 5,
    -- A tandem.definition.v1.RfmDefinition as JSON, every default filled in; empty in runs from before.
    ADD COLUMN IF NOT EXISTS settings String,
    -- SHA-256 of the settings: snapshots with equal ones can be compared. Empty in runs from before.
    ADD COLUMN IF NOT EXISTS settings_key String,
    -- Segment by cell, 545 for example.
    ADD COLUMN IF NOT EXISTS cell_segments Map(UInt16, LowCardinality(String));

CREATE OR REPLACE VIEW {bi}.fact_rfm
(
    run_id           UUID COMMENT 'Run that computed it',
    as_of            Date COMMENT 'Day that the run looks back from, see dim_date',
    is_newest        UInt8 COMMENT '1 in the newest run for this as_of: name it unless runs are compared',
    computed_time    DateTime('UTC') COMMENT 'When the run ended',
    window_days      UInt32 COMMENT 'Days that the run looks back',
    customer_id      UInt64 COMMENT 'Customer, see dim_customer',
    recency_days     UInt32 COMMENT 'Days from the last transaction to as_of',
    frequency        UInt64 COMMENT 'Transactions in the window',
    base_monetary    Decimal(38, 4) COMMENT 'What they add up to, in base currency',
    base_currency    LowCardinality(String) COMMENT 'ISO 4217 code of the base currency',
    bins             UInt8 COMMENT 'Bins of each measure, 3 to 5: the highest number is best',
    recency_bin      UInt8 COMMENT 'Bin of recency, from 1, the highest is best',
    frequency_bin    UInt8 COMMENT 'Bin of frequency, from 1, the highest is best',
    monetary_bin     UInt8 COMMENT 'Bin of monetary value, from 1, the highest is best',
    cell             String COMMENT 'The three bins together, for example 555',
    segment          LowCardinality(String) COMMENT 'Name of the segment that the cell belongs to; empty when the definition names none',
    place            UInt64 COMMENT 'Place in the run, 1 is best',
    branch_id        UInt64 COMMENT 'Branch that looks after the customer now, see dim_branch; 0: none',
    manager_id       UInt64 COMMENT 'Manager who looks after the customer now, see dim_manager; 0: none',
    region_id        UInt64 COMMENT 'Region of the customer now, see dim_region; 0: unknown'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
COMMENT 'Recency, frequency and monetary value of customers: every run that was finished, one row for each customer in it.

Question: How many customers moved from one recency bin to another between the last two snapshots?
SELECT before.recency_bin AS from_bin, after.recency_bin AS to_bin, count() AS customers
FROM {bi}.fact_rfm AS before
INNER JOIN {bi}.fact_rfm AS after ON after.customer_id = before.customer_id
WHERE before.is_newest AND after.is_newest
    AND after.as_of = (SELECT max(as_of) FROM {bi}.fact_rfm)
    AND before.as_of = (SELECT max(as_of) FROM {bi}.fact_rfm WHERE as_of < (SELECT max(as_of) FROM {bi}.fact_rfm))
GROUP BY from_bin, to_bin
ORDER BY from_bin, to_bin

Question: How many customers does each segment have, and what do they turn over?
SELECT segment, count() AS customers, sum(base_monetary) AS base_monetary
FROM {bi}.fact_rfm
WHERE is_newest AND as_of = (SELECT max(as_of) FROM {bi}.fact_rfm)
GROUP BY segment
ORDER BY base_monetary DESC'
AS
SELECT
    s.run_id AS run_id,
    s.as_of AS as_of,
    r.run_id = r.newest_run_id AS is_newest,
    r.computed_time AS computed_time,
    r.window_days AS window_days,
    s.customer_id AS customer_id,
    s.recency_days AS recency_days,
    s.frequency AS frequency,
    s.monetary AS base_monetary,
    r.base_currency AS base_currency,
    r.bins AS bins,
    s.recency_bin AS recency_bin,
    s.frequency_bin AS frequency_bin,
    s.monetary_bin AS monetary_bin,
    concat(toString(s.recency_bin), toString(s.frequency_bin), toString(s.monetary_bin)) AS cell,
    r.cell_segments[toUInt16(100 * s.recency_bin + 10 * s.frequency_bin + s.monetary_bin)] AS segment,
    s.place AS place,
    dictGet('{warehouse}.customer_lookup', 'branch_id', s.customer_id) AS branch_id,
    dictGet('{warehouse}.customer_lookup', 'manager_id', s.customer_id) AS manager_id,
    dictGet('{warehouse}.customer_lookup', 'region_id', s.customer_id) AS region_id
FROM {warehouse}.rfm_score AS s
INNER JOIN
(
    SELECT
        run_id, computed_time, window_days, base_currency, bins, cell_segments,
        argMax(run_id, (computed_time, run_id)) OVER (PARTITION BY as_of) AS newest_run_id
    FROM {warehouse}.rfm_run FINAL
) AS r ON r.run_id = s.run_id;
