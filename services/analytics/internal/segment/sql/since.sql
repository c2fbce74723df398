-- What happened behind the states that are kept, oldest first, to all segments or to one: of a customer the last event counts.
SELECT segment, customer_id, joined, event_time
FROM segment_event FINAL
WHERE event_time > {since:DateTime64(6, 'UTC')} AND {segment:String} IN ('', segment)
ORDER BY event_time
