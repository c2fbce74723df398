-- Joins and leaves of a segment by day of the bank.
SELECT toDate(event_time, {zone:String}) AS day, countIf(joined = 1) AS joins, countIf(joined = 0) AS leaves
FROM segment_event FINAL
WHERE segment = {segment:String}
GROUP BY day
ORDER BY day
