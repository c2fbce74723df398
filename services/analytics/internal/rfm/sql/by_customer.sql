-- A page by customer number: a range of the sort key.
SELECT customer_id, recency_days, frequency, monetary, recency_bin, frequency_bin, monetary_bin, place
FROM rfm_score
WHERE run_id = {run_id:UUID} AND as_of = {as_of:Date} AND customer_id > {after:UInt64}
ORDER BY customer_id
LIMIT {limit:UInt64}
