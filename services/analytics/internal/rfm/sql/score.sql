-- Bins and places of a share of the customers, into rfm_score.
--
-- Places go by the sum of the bins, then by monetary value, then by customer number. They are counted along the sorted rows,
-- which are one stream then: that costs the sort and nothing else, where a window function holds everything once more. So that
-- not all customers are one stream, sums are shared out: {before} customers have a higher sum than any of this share.
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
    rowNumberInAllBlocks() + 1 + {before:UInt64}
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
    WHERE run_id = {run_id:UUID} AND recency_bin + frequency_bin + monetary_bin BETWEEN {least:UInt8} AND {most:UInt8}
    ORDER BY recency_bin + frequency_bin + monetary_bin DESC, monetary DESC, customer_id
)
