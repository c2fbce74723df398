-- A page by place: a range of the projection's key.
SELECT customer_id, recency_days, frequency, monetary, recency_bin, frequency_bin, monetary_bin, place
FROM rfm_score
WHERE run_id = {run_id:UUID} AND as_of = {as_of:Date} AND place > {after:UInt64}
ORDER BY place
LIMIT {limit:UInt64}
