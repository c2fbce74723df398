-- Runs, each once, newest first.
SELECT
    run_id, as_of, window_days, transaction_kinds, customers, transactions, monetary, base_currency,
    recency_edges, frequency_edges, monetary_edges, computed_time, newest_event_time, insights_published,
    bins, settings, settings_key, cell_segments
FROM rfm_run FINAL
WHERE /*which*/
ORDER BY /*order*/
LIMIT {limit:UInt64}
