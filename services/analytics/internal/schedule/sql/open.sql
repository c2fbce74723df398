-- Runs that are not over: begun, or failed and to be tried again.
SELECT
    definition_id, spec_version, as_of, name, kind, fire_time, start_time, end_time, outcome, result, error, attempts, changed_time
FROM schedule_run FINAL
WHERE outcome IN ('running', 'failed')
ORDER BY as_of, definition_id, spec_version
