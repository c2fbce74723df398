-- Predictions beside their histories, with their places and the values of the previous run, into clv_value.
INSERT INTO clv_value
    (run_id, as_of, customer_id, kind, region_id, branch_id, manager_id, sector, fit_group, repeats, last_days, age_days,
     mean_amount, margin_share, historic, p_alive, p_alive_low, p_alive_high, expected, expected_low, expected_high,
     expected_amount, predictive, predictive_low, predictive_high, previous_historic, previous_predictive, place, historic_place)
SELECT
    {run_id:UUID},
    {as_of:Date},
    customer_id,
    past.kind,
    past.region_id,
    past.branch_id,
    past.manager_id,
    past.sector,
    past.fit_group,
    past.repeats,
    past.last_days,
    past.age_days,
    past.mean_amount,
    past.margin_share,
    now.historic,
    now.p_alive,
    now.p_alive_low,
    now.p_alive_high,
    now.expected,
    now.expected_low,
    now.expected_high,
    now.expected_amount,
    now.predictive,
    now.predictive_low,
    now.predictive_high,
    previous.historic,
    previous.predictive,
    row_number() OVER (ORDER BY now.predictive DESC NULLS LAST, now.historic DESC, customer_id),
    row_number() OVER (ORDER BY now.historic DESC, customer_id)
FROM
(
    SELECT * FROM clv_prediction WHERE run_id = {run_id:UUID}
) AS now
INNER JOIN
(
    SELECT
        customer_id, kind, region_id, branch_id, manager_id, sector, fit_group, repeats, last_days, age_days, mean_amount,
        margin_share
    FROM clv_customer
    WHERE run_id = {run_id:UUID}
) AS past USING customer_id
LEFT JOIN
(
    SELECT customer_id, toNullable(historic) AS historic, predictive
    FROM clv_value
    WHERE run_id = {previous_run_id:UUID} AND as_of = {previous_as_of:Date}
) AS previous USING customer_id
SETTINGS max_bytes_before_external_sort = 1500000000, max_bytes_ratio_before_external_sort = 0, max_insert_threads = 4
