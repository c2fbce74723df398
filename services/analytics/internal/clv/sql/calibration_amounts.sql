-- As amounts.sql, at the end of the calibration.
SELECT fit_group, c_repeats, c_mean_amount, count()
FROM clv_customer
WHERE run_id = {run_id:UUID} AND c_age_days >= 0 AND c_repeats > 0
GROUP BY fit_group, c_repeats, c_mean_amount
ORDER BY fit_group, c_repeats, c_mean_amount
