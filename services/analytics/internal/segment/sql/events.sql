-- Joins and leaves, each once, newest first.
SELECT segment, customer_id, event_time, joined, definition_version, as_of, run_id, toString(cause), changed
FROM segment_event FINAL
WHERE segment IN {segments:Array(String)}
    AND event_time >= {from:DateTime64(6, 'UTC')} AND event_time < {to:DateTime64(6, 'UTC')}
    AND /*which*/
ORDER BY event_time DESC, segment DESC, customer_id DESC
LIMIT {limit:UInt64}
