-- Sums of slices in several runs: the slices that are the highest in the first of them.
WITH
    segment_of AS
    (
        SELECT
            newest.day AS day,
            score.customer_id AS customer_id,
            newest.segments[toUInt16(100 * score.recency_bin + 10 * score.frequency_bin + score.monetary_bin)] AS segment
        FROM
        (
            SELECT
                day,
                argMax(run_id, (as_of, computed_time, run_id)) AS run,
                argMax(as_of, (as_of, computed_time, run_id)) AS run_day,
                argMax(cell_segments, (as_of, computed_time, run_id)) AS segments
            FROM rfm_run FINAL
            ARRAY JOIN {days:Array(Date)} AS day
            WHERE as_of <= day AND notEmpty(cell_segments)
            GROUP BY day
        ) AS newest
        INNER JOIN rfm_score AS score ON score.run_id = newest.run AND score.as_of = newest.run_day
    ),
    campaign_of AS
    (
        SELECT day, customer_id, argMax(campaign, (business_date, interaction_id)) AS newest
        FROM interaction FINAL
        ARRAY JOIN {days:Array(Date)} AS day
        WHERE campaign != '' AND business_date <= day
        GROUP BY day, customer_id
    ),
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
        /*from*/
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
