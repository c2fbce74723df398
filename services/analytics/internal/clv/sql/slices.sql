-- Sums of slices in several runs: the slices that are the highest in the first of them.
WITH
    sums AS
    (
        SELECT
            /*by*/ AS slice,
            run_id,
            count() AS customers,
            sum(historic) AS historic,
            sum(ifNull(predictive, toDecimal128(0, 4))) AS predictive,
            toFloat64(sum(toDecimal128(ifNull(expected, 0), 9))) AS expected,
            toFloat64(sum(toDecimal128(ifNull(p_alive, 0), 9))) AS alive
        FROM clv_value
        WHERE run_id IN {run_ids:Array(UUID)} AND as_of IN {days:Array(Date)}
        GROUP BY slice, run_id
    ),
    best AS
    (
        SELECT slice, predictive AS value, historic AS past
        FROM sums
        WHERE run_id = {run_id:UUID}
        ORDER BY predictive DESC, historic DESC, slice
        LIMIT {limit:UInt64}
    )
SELECT
    sums.slice, /*name*/ AS name, sums.run_id, sums.customers, sums.historic, sums.predictive, sums.expected, sums.alive
FROM sums
INNER JOIN best ON best.slice = sums.slice
/*names*/
ORDER BY best.value DESC, best.past DESC, sums.slice, indexOf({run_ids:Array(UUID)}, sums.run_id)
