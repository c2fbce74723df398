-- Totals and cut points of a run.
--
-- Definition. Place the n customers from worst to best. The lower edge of bin k + 1 of b bins is the value at place
-- floor(k · n / b), counted from 0. A customer is in the highest bin whose edge the value reaches. So equal values are
-- always together, those that straddle an edge go up, and the best value is always in the best bin. It is an element of the
-- data, found by selection and not by interpolation or sampling: exact, and the same for every order of reading.
--
-- quantilesExact(k / b) is exactly that element. Few days are better than many, hence the negative recency.
SELECT
    count() AS customers,
    sum(frequency) AS total_transactions,
    sum(monetary) AS total_monetary,
    arrayReverse(arrayMap(x -> toUInt32(-x), quantilesExact(/*levels*/)(-toInt64(recency_days)))) AS recency_edges,
    quantilesExact(/*levels*/)(frequency) AS frequency_edges,
    quantilesExact(/*levels*/)(monetary) AS monetary_edges
FROM rfm_value
WHERE run_id = {run_id:UUID}
