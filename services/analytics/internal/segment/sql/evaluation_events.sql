-- Events of one evaluation, always in the same order.
SELECT segment, customer_id, joined, definition_version
FROM segment_event FINAL
WHERE event_time = {time:DateTime64(6, 'UTC')} AND run_id = {run_id:UUID}
ORDER BY segment, customer_id
