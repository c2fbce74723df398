-- A page of members of a snapshot: a range of the sort key.
SELECT customer_id
FROM segment_member
WHERE segment = {segment:String} AND as_of = {as_of:Date} AND run_id = {run_id:UUID} AND customer_id > {after:UInt64}
ORDER BY customer_id
LIMIT {limit:UInt64}
