-- Snapshots, each once.
SELECT
    run_id, segment, definition_version, as_of, customers, base_customers, reference_versions, thresholds, computed_time, newest_event_time
FROM segment_run FINAL
WHERE /*which*/
ORDER BY /*order*/
LIMIT /*limit*/
