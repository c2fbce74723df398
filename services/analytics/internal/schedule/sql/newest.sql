-- Of each definition the last moment at which its schedule fired and was heeded, and its newest run.
SELECT
    definition_id, argMax(spec_version, start_time), argMax(as_of, start_time), any(name), any(kind), max(fire_time),
    max(start_time) AS started, argMax(end_time, start_time), argMax(outcome, start_time), argMax(result, start_time), argMax(error, start_time),
    argMax(attempts, start_time), max(changed_time)
FROM schedule_run FINAL
GROUP BY definition_id
