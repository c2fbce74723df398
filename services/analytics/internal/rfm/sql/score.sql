-- Bins and places of each customer, into rfm_score.
--
-- Places go by the sum of the bins, then by monetary value, then by customer number. Customers of equal sums are put in order
-- among themselves, several sums at once; in front of them are all with a higher sum, who are only counted.
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
            toUInt8(1 + arrayCount(edge -> recency_days <= edge, {recency:Array(UInt32)})) AS recency_bin,
            toUInt8(1 + arrayCount(edge -> frequency >= edge, {frequency:Array(UInt64)})) AS frequency_bin,
            toUInt8(1 + arrayCount(edge -> monetary >= edge, arrayMap(edge -> toDecimal128(edge, 4), {monetary:Array(String)}))) AS monetary_bin,
            recency_bin + frequency_bin + monetary_bin AS bins
        FROM rfm_value
        WHERE run_id = {run_id:UUID}
    ),
    (
        SELECT mapFromArrays(groupArray(bins), groupArray(better))
        FROM
        (
            SELECT bins, sum(count()) OVER (ORDER BY bins DESC) - count() AS better
            FROM binned
            GROUP BY bins
        )
    ) AS in_front
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
    in_front[bins] + row_number() OVER (PARTITION BY bins ORDER BY monetary DESC, customer_id)
FROM binned
