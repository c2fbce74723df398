-- Bins and places of each customer, into rfm_score.
--
-- Places go by the sum of the bins, then by monetary value, then by customer number. They are counted along the sorted rows,
-- which are one stream then: that costs the sort and nothing else, where a window function holds everything once more.
INSERT INTO rfm_score
    (run_id, as_of, customer_id, recency_days, frequency, monetary, recency_bin, frequency_bin, monetary_bin, place)
SELECT
    {run_id:UUID},
    {as_of:Date},
    customer_id,
    recency_days,
    frequency,
    monetary,
    recency_bin,
    frequency_bin,
    monetary_bin,
    rowNumberInAllBlocks() + 1
FROM
(
    SELECT
        customer_id,
        recency_days,
        frequency,
        monetary,
        toUInt8(1 + /*recency*/) AS recency_bin,
        toUInt8(1 + /*frequency*/) AS frequency_bin,
        toUInt8(1 + /*monetary*/) AS monetary_bin
    FROM rfm_value
    WHERE run_id = {run_id:UUID}
    ORDER BY recency_bin + frequency_bin + monetary_bin DESC, monetary DESC, customer_id
)
