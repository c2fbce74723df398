-- The bare aggregation behind RFM: recency, frequency and monetary value of each customer, and nothing kept.
SELECT
    holder.customer_id AS customer_id,
    toUInt32(toDate('2025-12-31') - max(value.last_date)),
    sum(value.frequency),
    sum(value.monetary)
FROM
(
    WITH kind != '' AND (direction = 'credit') != (kind IN ('cash_deposit', 'transfer_in', 'interest_credited', 'loan_disbursement')) AS back
    SELECT
        account_id,
        maxIf(business_date, NOT back) AS last_date,
        countIf(NOT back) AS frequency,
        sum(base_value) - 2 * sumIf(base_value, back) AS monetary
    FROM transaction FINAL
    WHERE business_date BETWEEN '2025-01-01' AND '2025-12-31' AND state = 'posted'
        AND kind NOT IN ('interest_credited', 'interest_charged', 'fee', 'loan_disbursement')
    GROUP BY account_id
) AS value
INNER JOIN
(
    SELECT account_id, argMax(customer_id, (ifNull(valid_from, toDate32('1900-01-01')), account_holder_id)) AS customer_id
    FROM account_holder FINAL
    WHERE role = 'owner' AND (valid_from IS NULL OR valid_from <= '2025-12-31') AND (valid_to IS NULL OR valid_to >= '2025-12-31')
    GROUP BY account_id
) AS holder ON holder.account_id = value.account_id
GROUP BY customer_id
HAVING sum(value.frequency) > 0
FORMAT Null
SETTINGS do_not_merge_across_partitions_select_final = 1
