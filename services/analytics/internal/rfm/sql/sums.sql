-- How many customers have which sum of bins, best first.
SELECT toUInt8(3 + /*recency*/ + /*frequency*/ + /*monetary*/) AS bins, count() AS customers
FROM rfm_value
WHERE run_id = {run_id:UUID}
GROUP BY bins
ORDER BY bins DESC
