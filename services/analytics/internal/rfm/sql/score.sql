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
        1 + (recency_days <= {recency_1:UInt32}) + (recency_days <= {recency_2:UInt32})
            + (recency_days <= {recency_3:UInt32}) + (recency_days <= {recency_4:UInt32}) AS recency_bin,
        1 + (frequency >= {frequency_1:UInt64}) + (frequency >= {frequency_2:UInt64})
            + (frequency >= {frequency_3:UInt64}) + (frequency >= {frequency_4:UInt64}) AS frequency_bin,
        1 + (monetary >= {monetary_1:Decimal(38, 4)}) + (monetary >= {monetary_2:Decimal(38, 4)})
            + (monetary >= {monetary_3:Decimal(38, 4)}) + (monetary >= {monetary_4:Decimal(38, 4)}) AS monetary_bin
    FROM rfm_value
    WHERE run_id = {run_id:UUID}
)
