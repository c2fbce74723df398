-- Events of one evaluation, always in the same order. They were written once, so the versions of rows need not be resolved; should a
-- block have come twice nevertheless, its rows are one here.
SELECT segment, customer_id, joined, definition_version
FROM segment_event
WHERE event_time = {time:DateTime64(6, 'UTC')} AND run_id = {run_id:UUID}
GROUP BY segment, customer_id, joined, definition_version
ORDER BY segment, customer_id
