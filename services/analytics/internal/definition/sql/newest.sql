-- The newest states of definitions at a moment; the first ones of those that were not there yet.
SELECT
    definition_id, name, title, kind, state = 'archived', owner, reader_roles, editor_roles, spec_version, spec, spec_time,
    cron, days_back, paused, change_time
FROM definition FINAL
WHERE name IN {names:Array(String)}
ORDER BY if(change_time <= fromUnixTimestamp64Micro({at:Int64}, 'UTC'), toInt64(version), -toInt64(version)) DESC
LIMIT 1 BY name
