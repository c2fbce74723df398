-- What the members of segments have of each product on a day: holders, balances, and what these earn in a year. Accounts belong to
-- those who owned them last by the day, as in the facts of customers; of balances of one day the one that bi.fact_balance_day takes.
WITH
    newest AS
    (
        SELECT n.segment, n.newest.1, n.newest.3
        FROM
        (
            SELECT u.segment AS segment, max((u.as_of, u.computed_time, u.run_id)) AS newest
            FROM segment_run AS u FINAL
            WHERE u.as_of <= {as_of:Date} AND has({segments:Array(String)}, toString(u.segment))
            GROUP BY u.segment
        ) AS n
    ),
    member AS
    (
        SELECT toString(segment) AS segment, customer_id
        FROM segment_member
        WHERE (segment, as_of, run_id) IN newest AND /*scope*/
    ),
    owner AS
    (
        SELECT account_id, argMax(customer_id, (ifNull(valid_from, toDate32('1900-01-01')), account_holder_id)) AS customer_id
        FROM account_holder FINAL
        WHERE role = 'owner' AND (valid_from IS NULL OR valid_from <= {day:Date})
        GROUP BY account_id
    ),
    standing AS
    (
        SELECT account_id, argMax(ledger, (business_date, rank)) AS ledger
        FROM
        (
            SELECT account_id, business_date, assumeNotNull(balance_after) AS ledger, transaction_id AS rank
            FROM transaction FINAL
            WHERE business_date <= {day:Date} AND state = 'posted' AND balance_after IS NOT NULL
            UNION ALL
            SELECT account_id, business_date, ledger, if(closing = 1, toUInt64(18446744073709551615), toUInt64(0)) AS rank
            FROM account_balance FINAL
            WHERE business_date <= {day:Date}
        )
        GROUP BY account_id
    ),
    last_rate AS
    (
        SELECT currency, argMax(day_rate, rate_date) AS rate
        FROM
        (
            SELECT currency, rate_date, argMaxMerge(rate) AS day_rate
            FROM currency_rate
            WHERE base_currency = {base_currency:String} AND rate_date <= {day:Date}
            GROUP BY currency, rate_date
        )
        GROUP BY currency
    ),
    kept AS
    (
        SELECT
            owner.customer_id AS customer_id,
            /*product*/ AS product,
            CAST(if(account.currency IN ('', {base_currency:String}), standing.ledger, CAST(standing.ledger * last_rate.rate, 'Decimal(38, 4)')),
                'Decimal(38, 4)') AS balance,
            CAST(abs(balance) * ifNull(terms.margin, toDecimal64(0, 8)), 'Decimal(38, 4)') AS margin
        FROM standing
        INNER JOIN (SELECT account_id, product_id, currency FROM account FINAL) AS account ON account.account_id = standing.account_id
        INNER JOIN owner ON owner.account_id = standing.account_id
        LEFT JOIN (SELECT product_id, code, family, margin FROM product FINAL) AS terms ON terms.product_id = account.product_id
        LEFT JOIN last_rate ON last_rate.currency = account.currency
    ),
    held AS
    (
        SELECT f.customer_id AS customer_id, arrayJoin(/*held*/) AS product
        FROM /*facts*/ AS f
    )
SELECT segment, product, sum(holders), sum(balance), sum(margin)
FROM
(
    SELECT
        member.segment AS segment, toString(held.product) AS product, toUInt64(1) AS holders, toDecimal128(0, 4) AS balance,
        toDecimal128(0, 4) AS margin
    FROM member
    INNER JOIN held ON held.customer_id = member.customer_id
    UNION ALL
    SELECT member.segment, toString(kept.product), toUInt64(0), kept.balance, kept.margin
    FROM member
    INNER JOIN kept ON kept.customer_id = member.customer_id
)
WHERE product != ''
GROUP BY segment, product
ORDER BY segment, product
