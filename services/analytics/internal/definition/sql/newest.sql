-- The newest states of definitions, or their newest at a moment.
SELECT
    definition_id, name, title, kind, state = 'archived', owner, reader_roles, editor_roles, spec_version, spec, spec_time,
    cron, days_back, paused, change_time
FROM definition FINAL
WHERE name IN {names:Array(String)} AND change_time <= fromUnixTimestamp64Micro({at:Int64}, 'UTC')
ORDER BY version DESC
LIMIT 1 BY name
