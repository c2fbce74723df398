-- Who was in which cell, and is or would be in which. The cell of nobody is empty.
SELECT before, now, count()
FROM
(
    SELECT customer_id, max(if(side = 0, cell, '')) AS before, max(if(side = 1, cell, '')) AS now
    FROM
    (
        SELECT customer_id, toString(cell) AS cell, toUInt8(0) AS side
        FROM profile_place
        WHERE run_id = {from_run_id:UUID} AND as_of = {from_as_of:Date}
        UNION ALL
        SELECT customer_id, toString(cell) AS cell, toUInt8(1) AS side
        FROM (/*now*/)
    )
    GROUP BY customer_id
)
GROUP BY before, now
ORDER BY before, now
