-- Bins and places of each customer, into rfm_score.
--
-- Places go by the sum of the bins, then by monetary value, then by customer number. Each sum is counted by itself, behind all
-- who have a better one: so sums are sorted, and stored, beside each other, where one order of everybody is one stream.
INSERT INTO rfm_score
    (run_id, as_of, customer_id, recency_days, frequency, monetary, recency_bin, frequency_bin, monetary_bin, place)
WITH
    binned AS
    (
        SELECT
            customer_id,
            recency_days,
            frequency,
            monetary,
            toUInt8(1 + /*recency*/) AS recency_bin,
            toUInt8(1 + /*frequency*/) AS frequency_bin,
            toUInt8(1 + /*monetary*/) AS monetary_bin,
            recency_bin + frequency_bin + monetary_bin AS bins
        FROM rfm_value
        WHERE run_id = {run_id:UUID}
    ),
    (
        SELECT mapFromArrays(groupArray(bins), groupArray(above))
        FROM (SELECT bins, sum(count()) OVER (ORDER BY bins DESC) - count() AS above FROM binned GROUP BY bins)
    ) AS better
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
    better[bins] + row_number() OVER (PARTITION BY bins ORDER BY monetary DESC, customer_id)
FROM binned
