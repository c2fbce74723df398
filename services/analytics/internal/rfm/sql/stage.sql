-- Values of each customer in the window, into rfm_value.
--
-- First by account, because transactions lie sorted by account, then by the customer who owns it: so the join meets
-- one row an account and not one a transaction. An account counts once, as its owner's: when two holdings overlap, the
-- one that began last, then the one recorded last.
--
-- Money that goes the other way than its kind says is money back, as in CLV: it lowers the monetary value and is nothing that
-- the customer did. Who only got money back is not in the run.
INSERT INTO rfm_value (run_id, customer_id, recency_days, frequency, monetary)
WITH
    account_value AS
    (
        WITH kind != '' AND (direction = 'credit') != (kind IN {incoming:Array(String)}) AS back
        SELECT
            account_id,
            maxIf(business_date, NOT back) AS last_date,
            countIf(NOT back) AS frequency,
            sum(base_value) - 2 * sumIf(base_value, back) AS monetary
        FROM transaction FINAL
        WHERE business_date BETWEEN {first_date:Date} AND {as_of:Date}
            AND state = 'posted'
            AND /*kinds*/
        GROUP BY account_id
    ),
    account_owner AS
    (
        SELECT
            account_id,
            argMax(customer_id, (ifNull(valid_from, toDate32('1900-01-01')), account_holder_id)) AS customer_id
        FROM account_holder FINAL
        WHERE role = 'owner'
            AND (valid_from IS NULL OR valid_from <= {as_of:Date32})
            AND (valid_to IS NULL OR valid_to >= {as_of:Date32})
        GROUP BY account_id
    )
SELECT
    {run_id:UUID},
    account_owner.customer_id AS customer_id,
    toUInt32({as_of:Date} - max(account_value.last_date)),
    sum(account_value.frequency),
    sum(account_value.monetary)
FROM account_value
INNER JOIN account_owner ON account_owner.account_id = account_value.account_id
GROUP BY customer_id
HAVING sum(account_value.frequency) > 0
