-- Runs, each once.
SELECT
    run_id, definition, definition_version, settings_key, settings, as_of, customers, part_keys, part_customers, result,
    replaced_run_id, replaced_as_of, computed_time, newest_event_time, insights_published
FROM /*runs*/ FINAL
WHERE /*which*/
ORDER BY /*order*/
LIMIT {limit:UInt64}
