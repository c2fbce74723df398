-- As groups.sql, at the end of the calibration.
SELECT fit_group, toUInt8(0) AS half, c_repeats, c_last_days, toUInt32(c_age_days) AS age, count()
FROM clv_customer
WHERE run_id = {run_id:UUID} AND c_age_days >= 0
GROUP BY fit_group, c_repeats, c_last_days, age
ORDER BY fit_group, c_repeats, c_last_days, age
