-- The members of a segment, and those who were in it in the run before and are not now.
SELECT customer_id, max(here) AS member
FROM
(
    SELECT customer_id, toUInt8(1) AS here
    FROM segment_member
    WHERE segment = {segment:String} AND as_of = {as_of:Date} AND run_id = {run_id:UUID}
    UNION ALL
    SELECT customer_id, toUInt8(0) AS here
    FROM segment_member
    WHERE segment = {segment:String} AND as_of = {replaced_as_of:Date} AND run_id = {replaced_run_id:UUID}
)
GROUP BY customer_id
ORDER BY customer_id
