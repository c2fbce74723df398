-- One customer's score.
SELECT customer_id, recency_days, frequency, monetary, recency_bin, frequency_bin, monetary_bin, place
FROM rfm_score
WHERE run_id = {run_id:UUID} AND as_of = {as_of:Date} AND customer_id = {customer_id:UInt64}
