-- The last run of each day up to a day, of equal settings, the latest day first.
SELECT
    argMax(run_id, (computed_time, run_id)) AS run,
    as_of,
    argMax(predictive, (computed_time, run_id)) AS run_predictive
FROM clv_run FINAL
WHERE settings_key = {key:String} AND (as_of < {as_of:Date} OR run_id = {run_id:UUID})
GROUP BY as_of
ORDER BY as_of DESC
LIMIT {limit:UInt64}
