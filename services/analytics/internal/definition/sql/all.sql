-- The newest state of every definition, with the moment since which it has its schedule: that of the first row behind the
-- last one in which schedule or state were others.
WITH states AS
(
    SELECT
        *, (state, cron, days_back, paused) AS how,
        last_value(how) OVER (PARTITION BY definition_id ORDER BY version ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS how_now
    FROM definition FINAL
)
SELECT
    definition_id, argMax(name, version), argMax(title, version), argMax(kind, version), argMax(state, version) = 'archived' AS archived,
    argMax(owner, version), argMax(reader_roles, version), argMax(editor_roles, version),
    argMax(spec_version, version), argMax(spec, version), argMax(spec_time, version),
    argMax(cron, version), argMax(days_back, version), argMax(paused, version),
    minIf(change_time, version > last_other) AS since
FROM states
INNER JOIN (SELECT definition_id, maxIf(version, how != how_now) AS last_other FROM states GROUP BY definition_id) AS others USING (definition_id)
GROUP BY definition_id
ORDER BY definition_id
