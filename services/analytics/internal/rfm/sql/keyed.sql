-- Customers of a run by segment, bin or cell.
SELECT /*key*/ AS key, count() AS customers, sum(monetary) AS monetary
FROM rfm_score
WHERE run_id = {run_id:UUID} AND as_of = {as_of:Date}
GROUP BY key
ORDER BY key
