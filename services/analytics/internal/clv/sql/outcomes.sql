-- What came after the calibration, by equal histories. The expected amount is linear in the mean amount, so a sum of means
-- is enough for a group. Sums are decimal, for the same bytes each time.
SELECT
    fit_group, c_repeats, c_last_days, toUInt32(c_age_days) AS age, later,
    count() AS customers,
    countIf(c_mean_amount > 0) AS spenders,
    toFloat64(sum(toDecimal128(if(c_mean_amount > 0, c_mean_amount, 0), 8))) AS means,
    toFloat64(sum(toDecimal128(later_amount, 4))) AS amount
FROM clv_customer
WHERE run_id = {run_id:UUID} AND c_age_days >= 0
GROUP BY fit_group, c_repeats, c_last_days, age, later
ORDER BY fit_group, c_repeats, c_last_days, age, later
