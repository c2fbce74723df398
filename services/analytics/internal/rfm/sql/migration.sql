-- Who went from where to where. Customers who are in one of the runs only are at the empty key in the other.
SELECT was, become, count() AS customers, sum(monetary_was) AS before, sum(monetary_become) AS after
FROM
(
    SELECT
        customer_id,
        anyIf(key, place = 1) AS was,
        anyIf(key, place = 2) AS become,
        sumIf(monetary, place = 1) AS monetary_was,
        sumIf(monetary, place = 2) AS monetary_become
    FROM
    (
        SELECT customer_id, monetary, 1 AS place, /*from*/ AS key
        FROM rfm_score
        WHERE run_id = {from_run_id:UUID} AND as_of = {from_as_of:Date}
        UNION ALL
        SELECT customer_id, monetary, 2 AS place, /*to*/ AS key
        FROM rfm_score
        WHERE run_id = {to_run_id:UUID} AND as_of = {to_as_of:Date}
    )
    GROUP BY customer_id
)
GROUP BY was, become
ORDER BY was, become
SETTINGS max_bytes_before_external_group_by = 1500000000, max_bytes_ratio_before_external_group_by = 0
