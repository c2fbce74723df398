-- Bins and places of each customer, into rfm_score.
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
    row_number() OVER (ORDER BY recency_bin + frequency_bin + monetary_bin DESC, monetary DESC, customer_id)
FROM
(
    SELECT
        customer_id,
        recency_days,
        frequency,
        monetary,
        toUInt8(1 + arrayCount(edge -> recency_days <= edge, {recency:Array(UInt32)})) AS recency_bin,
        toUInt8(1 + arrayCount(edge -> frequency >= edge, {frequency:Array(UInt64)})) AS frequency_bin,
        toUInt8(1 + arrayCount(edge -> monetary >= edge, arrayMap(edge -> toDecimal128(edge, 4), {monetary:Array(String)}))) AS monetary_bin
    FROM rfm_value
    WHERE run_id = {run_id:UUID}
)
