-- A page by customer number: a range of the sort key.
SELECT
    customer_id, fit_group, repeats, last_days, age_days, mean_amount, margin_share, historic, p_alive, p_alive_low,
    p_alive_high, expected, expected_low, expected_high, expected_amount, predictive, predictive_low, predictive_high,
    previous_historic, previous_predictive, place, historic_place
FROM clv_value
WHERE run_id = {run_id:UUID} AND as_of = {as_of:Date} AND customer_id > {after:UInt64}
ORDER BY customer_id
LIMIT {limit:UInt64}
