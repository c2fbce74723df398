-- Customers and value of each cell of recency and frequency, best first.
SELECT recency_bin, frequency_bin, count() AS customers, sum(monetary) AS monetary
FROM rfm_score
WHERE run_id = {run_id:UUID} AND as_of = {as_of:Date}
GROUP BY recency_bin, frequency_bin
ORDER BY recency_bin DESC, frequency_bin DESC
