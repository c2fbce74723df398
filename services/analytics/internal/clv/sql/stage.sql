-- Histories of customers, into clv_customer.
--
-- A purchase is a day on which a customer's counted transactions sum to zero or more; the first is the beginning, each
-- later one a repeat. Money that goes the other way than its kind says is money back and counts negative: a day on which
-- more came back than was spent is no purchase and lowers the mean. Reversed transactions don't count at all. So says
-- btyd.Summarize, which is the same for a file. Money is summed exactly, and only sums of a day become Float64, which
-- are then added in the order of days: the same transactions give the same bytes.
--
-- An account counts as its owner's at as_of, as in RFM. What part of an amount is margin: the margin of the account's
-- product, else that of the product's family, else the default.
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
            toDecimal64(multiIf(
                {product_margins:UInt8} = 1 AND margin IS NOT NULL, toString(assumeNotNull(margin)),
                transform(family, {families:Array(String)}, {shares:Array(String)}, {default_share:String})), 8) AS share
        FROM product FINAL
    ),
    owned AS
    (
        SELECT
            holder.account_id AS account_id,
            holder.customer_id AS customer_id,
            if(terms.product_id = 0, toDecimal64({default_share:String}, 8), terms.share) AS share
        FROM holder
        LEFT JOIN (SELECT account_id, product_id FROM account FINAL) AS account ON account.account_id = holder.account_id
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
    if(gross > 0, gross_earned / gross, toFloat64({default_share:String})),
    arraySum(d -> d.3 * exp2((d.1 - {as_of:Date}) / {half_life:UInt32}), days),
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
SETTINGS
    do_not_merge_across_partitions_select_final = 1,
    max_bytes_before_external_group_by = 1500000000,
    max_bytes_ratio_before_external_group_by = 0
