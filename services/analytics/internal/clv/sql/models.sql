-- Models of a run: those of the values before those of the backtest, the one of all customers first.
SELECT
    purpose, fit_group, data_to, model, refusal, unit_days, customers, repeat_customers, groups, parameter_names,
    parameter_values, parameter_errors, parameter_lows, parameter_highs, log_likelihood, evaluations, converged, expected_new,
    choice_models, choice_likelihoods, choice_errors, amount_refusal, amount_customers, amount_mean, amount_names,
    amount_values, amount_errors, amount_lows, amount_highs, amount_log_likelihood, amount_evaluations, amount_converged
FROM clv_model
WHERE run_id = {run_id:UUID} AND /*which*/
ORDER BY purpose, fit_group
LIMIT {limit:UInt64}
