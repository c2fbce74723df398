-- Backtest of a run for one group of customers, or for all.
SELECT
    fit_group, calibration_end, holdout_days, customers, actual, forecast_names, forecast_totals, forecast_absolutes,
    forecast_squares, class_repeats, class_customers, class_actuals, class_expecteds, bin_froms, bin_customers, bin_actuals,
    bin_expecteds, actual_amount, expected_amount
FROM clv_backtest
WHERE run_id = {run_id:UUID} AND fit_group = {fit_group:String}
