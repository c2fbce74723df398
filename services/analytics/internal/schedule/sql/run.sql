-- One run.
SELECT
    definition_id, spec_version, as_of, name, kind, fire_time, start_time, end_time, outcome, result, error, attempts, changed_time
FROM schedule_run FINAL
WHERE definition_id = {id:UInt64} AND spec_version = {version:UInt64} AND as_of = toDate({as_of:String})
