-- Totals of a run's values.
SELECT sum(historic), sum(ifNull(predictive, 0)), count(predictive)
FROM clv_value
WHERE run_id = {run_id:UUID} AND as_of = {as_of:Date}
