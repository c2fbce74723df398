-- Histories of customers, into clv_customer.
--
-- A purchase is a day on which a customer's counted transactions sum to zero or more; the first is the beginning, each
-- later one a repeat. Money that goes the other way than its kind says is money back and counts negative: a day on which
-- more came back than was spent is no purchase and lowers the mean. Reversed transactions don't count at all. So says
-- btyd.Summarize, which is the same for a file. Money is summed exactly, and only sums of a day become Float64, which
-- are then added in the order of days: the same transactions give the same bytes.
--
-- An account counts as its owner's at as_of, as in RFM. A product whose margin is known earns it on the balances of its
-- accounts, day by day, whatever is bought: it is a part of the balance in a year. On the other accounts a part of each amount
-- is margin: that of the product's family, else the default. Balances in another currency count at the last rate by as_of, and
-- not at all without one.
INSERT INTO clv_customer
    (run_id, customer_id, kind, region_id, branch_id, manager_id, sector, fit_group, repeats, last_days, age_days, mean_amount,
     margin_share, historic, first_date, c_repeats, c_last_days, c_age_days, c_mean_amount, later, later_amount)
WITH
    holder AS
    (
        SELECT
            account_id,
            argMax(customer_id, (ifNull(valid_from, toDate32('1900-01-01')), account_holder_id)) AS customer_id
        FROM account_holder FINAL
        WHERE role = 'owner'
            AND (valid_from IS NULL OR valid_from <= {as_of:Date32})
            AND (valid_to IS NULL OR valid_to >= {as_of:Date32})
        GROUP BY account_id
    ),
    terms AS
    (
        SELECT
            product_id,
            {product_margins:UInt8} = 1 AND margin IS NOT NULL AS known,
            if(known, toFloat64(assumeNotNull(margin)), 0) AS yearly,
            toDecimal64(if(known, '0', transform(family, {families:Array(String)}, {shares:Array(String)}, {default_share:String})), 8) AS share
        FROM product FINAL
    ),
    owned AS
    (
        SELECT
            holder.account_id AS account_id,
            holder.customer_id AS customer_id,
            if(terms.product_id = 0, toDecimal64({default_share:String}, 8), terms.share) AS share,
            terms.yearly AS yearly,
            account.currency AS currency
        FROM holder
        LEFT JOIN (SELECT account_id, product_id, currency FROM account FINAL) AS account ON account.account_id = holder.account_id
        LEFT JOIN terms ON terms.product_id = account.product_id
    ),
    moved AS
    (
        SELECT
            account_id,
            business_date,
            if(kind = '' OR (direction = 'credit') = (kind IN {incoming:Array(String)}), base_value, -base_value) AS amount
        FROM transaction FINAL
        WHERE business_date BETWEEN {first_date:Date} AND {as_of:Date}
            AND state = 'posted'
            AND /*kinds*/
    ),
    spent AS
    (
        SELECT
            owned.customer_id AS customer_id,
            moved.business_date AS business_date,
            toFloat64(sum(moved.amount)) AS amount,
            toFloat64(sum(moved.amount * owned.share)) AS earned
        FROM moved
        INNER JOIN owned ON owned.account_id = moved.account_id
        GROUP BY customer_id, business_date
    ),
    -- Balances at the ends of the days on which they became known; of those of one day the one that bi.fact_balance_day takes.
    standing AS
    (
        SELECT account_id, business_date, argMax(ledger, rank) AS ledger
        FROM
        (
            SELECT account_id, business_date, toFloat64(assumeNotNull(balance_after)) AS ledger, transaction_id AS rank
            FROM transaction FINAL
            WHERE business_date <= {as_of:Date} AND state = 'posted' AND balance_after IS NOT NULL
                AND account_id IN (SELECT account_id FROM owned WHERE yearly != 0)
            UNION ALL
            SELECT account_id, business_date, toFloat64(ledger) AS ledger, if(closing = 1, toUInt64(18446744073709551615), toUInt64(0)) AS rank
            FROM account_balance FINAL
            WHERE business_date <= {as_of:Date} AND account_id IN (SELECT account_id FROM owned WHERE yearly != 0)
        )
        GROUP BY account_id, business_date
    ),
    -- A balance stands until the day before the next one: years of balance, plain, and with each day decayed by its age.
    kept AS
    (
        SELECT
            account_id,
            arraySort(groupArray((business_date, ledger))) AS known,
            arrayFilter(s -> s.2 >= s.1, arrayMap(
                (d, i) -> (greatest(d.1, {first_date:Date}), if(i = length(known), {as_of:Date}, known[i + 1].1 - 1), abs(d.2)),
                known, arrayEnumerate(known))) AS spans,
            arraySum(s -> s.3 * (s.2 - s.1 + 1), spans) / 365.25 AS plain,
            arraySum(s -> s.3 * exp2((s.2 - {as_of:Date}) / {half_life:UInt32}) * (1 - exp2((s.1 - s.2 - 1) / {half_life:UInt32})), spans)
                / (1 - exp2(-1 / {half_life:UInt32})) / 365.25 AS decayed
        FROM standing
        GROUP BY account_id
    ),
    last_rate AS
    (
        SELECT currency, argMax(day_rate, rate_date) AS rate
        FROM
        (
            SELECT currency, rate_date, argMaxMerge(rate) AS day_rate
            FROM currency_rate
            WHERE base_currency = {base_currency:String} AND rate_date <= {as_of:Date}
            GROUP BY currency, rate_date
        )
        GROUP BY currency
    ),
    carried AS
    (
        SELECT
            owned.customer_id AS customer_id,
            arraySort(groupArray((kept.account_id,
                kept.plain * owned.yearly * if(owned.currency IN ('', {base_currency:String}), 1, toFloat64(last_rate.rate)),
                kept.decayed * owned.yearly * if(owned.currency IN ('', {base_currency:String}), 1, toFloat64(last_rate.rate))))) AS accounts,
            arraySum(a -> a.2, accounts) AS plain,
            arraySum(a -> a.3, accounts) AS decayed
        FROM kept
        INNER JOIN owned ON owned.account_id = kept.account_id
        LEFT JOIN last_rate ON last_rate.currency = owned.currency
        GROUP BY customer_id
    ),
    history AS
    (
        SELECT
            customer_id,
            arraySort(groupArray((business_date, amount, earned))) AS days,
            arrayFirstIndex(d -> d.2 >= 0, days) AS start,
            days[start].1 AS first_date,
            arraySlice(days, start + 1) AS repeated,
            arrayFilter(d -> d.2 >= 0, repeated) AS bought,
            arrayFilter(d -> d.1 <= {calibration_end:Date}, repeated) AS c_repeated,
            arrayFilter(d -> d.2 >= 0, c_repeated) AS c_bought,
            arrayFilter(d -> d.1 > {calibration_end:Date}, repeated) AS c_later,
            arraySum(d -> d.2, arrayFilter(d -> d.2 >= 0, days)) AS gross,
            arraySum(d -> d.3, arrayFilter(d -> d.2 >= 0, days)) AS gross_earned
        FROM spent
        GROUP BY customer_id
        HAVING start > 0
    )
SELECT
    {run_id:UUID},
    history.customer_id,
    customer.kind,
    customer.region_id,
    customer.branch_id,
    customer.manager_id,
    substring(customer.industry_nace, 1, 2),
    /*fit_by*/,
    length(bought),
    if(empty(bought), 0, bought[-1].1 - first_date),
    {as_of:Date} - first_date,
    if(empty(bought), 0, arraySum(d -> d.2, repeated) / length(bought)),
    if(gross > 0, (gross_earned + carried.plain) / gross, toFloat64({default_share:String})),
    arraySum(d -> d.3 * exp2((d.1 - {as_of:Date}) / {half_life:UInt32}), days) + carried.decayed,
    first_date,
    length(c_bought),
    if(empty(c_bought), 0, c_bought[-1].1 - first_date),
    greatest(toInt32({calibration_end:Date} - first_date), -1),
    if(empty(c_bought), 0, arraySum(d -> d.2, c_repeated) / length(c_bought)),
    arrayCount(d -> d.2 >= 0, c_later),
    arraySum(d -> d.2, c_later)
FROM history
LEFT JOIN
(
    SELECT customer_id, kind, region_id, branch_id, manager_id, industry_nace FROM customer FINAL
) AS customer ON customer.customer_id = history.customer_id
LEFT JOIN carried ON carried.customer_id = history.customer_id
SETTINGS
    do_not_merge_across_partitions_select_final = 1,
    max_bytes_before_external_group_by = 1500000000,
    max_bytes_ratio_before_external_group_by = 0,
    max_insert_threads = 4
