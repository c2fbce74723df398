-- Runs, each once.
SELECT
    run_id, as_of, settings_key, settings, customers, purchases, base_currency, data_from, data_to, historic, predictive,
    predicted, previous_run_id, previous_as_of, computed_time, newest_event_time, insights_published
FROM clv_run FINAL
WHERE /*which*/
ORDER BY /*order*/
LIMIT {limit:UInt64}
