-- Runs by the start of their last attempt, newest first, behind a place in that order.
SELECT
    definition_id, spec_version, as_of, name, kind, fire_time, start_time, end_time, outcome, result, error, attempts, changed_time
FROM schedule_run FINAL
WHERE definition_id IN {ids:Array(UInt64)}
    AND ({before:Int64} = 0
        OR (toUnixTimestamp64Micro(start_time), definition_id, spec_version, as_of)
            < ({before:Int64}, {id:UInt64}, {version:UInt64}, toDate({as_of:String})))
ORDER BY start_time DESC, definition_id DESC, spec_version DESC, as_of DESC
LIMIT {limit:UInt32}
