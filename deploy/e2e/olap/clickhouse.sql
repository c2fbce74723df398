-- What a person who knows the warehouse writes for the same answers as the ready reports, looking from 2026-06-30: with names,
-- differences, changes and shares, and what tells sums from other rows. {sale} and the like stand for the sections of these names.

-- name: sale
(
    SELECT
        product_id, coalesce(opened, signed) AS begun, begun >= '2025-07-01' AS now,
        dictGet('tandem.contract_lookup', 'customer_id', contract_id) AS party,
        if(party != 0, party, dictGet('tandem.account_lookup', 'customer_id', account_id)) AS customer,
        dictGet('tandem.customer_lookup', 'branch_id', customer) AS branch,
        dictGet('tandem.customer_lookup', 'manager_id', customer) AS manager,
        dictGet('tandem.customer_lookup', 'region_id', customer) AS region,
        round(amount * dictGetOrNull('tandem.currency_lookup', 'rate', tuple(amount_currency), assumeNotNull(toDate(begun))), 4) AS base
    FROM tandem.contract FINAL
    WHERE begun BETWEEN '2024-07-01' AND '2026-06-30' AND state NOT IN ('draft', 'cancelled')
)

-- name: sold
    countIf(now) AS sales, countIf(NOT now) AS sales_earlier, sumIf(base, now) AS sales_amount, sumIf(base, NOT now) AS sales_amount_earlier,
    uniqExactIf(customer, now) AS buyers, uniqExactIf(customer, NOT now) AS buyers_earlier,
    toInt64(sales) - sales_earlier AS sales_difference, sales_difference / nullIf(sales_earlier, 0) AS sales_change,
    sales_amount - sales_amount_earlier AS sales_amount_difference, toFloat64(sales_amount_difference) / toFloat64(nullIf(sales_amount_earlier, 0)) AS sales_amount_change,
    toInt64(buyers) - buyers_earlier AS buyers_difference, buyers_difference / nullIf(buyers_earlier, 0) AS buyers_change

-- name: sales-by-product
SELECT
    p.family AS family, s.product_id AS product, dictGet('bi.lookup_product', 'name', product) AS product_name, grouping(family, product) AS sums, {sold},
    toFloat64(sales_amount) / nullIf(sales, 0) AS mean_sale, toFloat64(sales_amount_earlier) / nullIf(sales_earlier, 0) AS mean_sale_earlier,
    mean_sale - mean_sale_earlier AS mean_sale_difference, mean_sale_difference / nullIf(mean_sale_earlier, 0) AS mean_sale_change
FROM {sale} AS s LEFT ANY JOIN (SELECT product_id, family FROM tandem.product FINAL) AS p ON p.product_id = s.product_id
GROUP BY GROUPING SETS ((family, product), (family), ()) ORDER BY family, product_name, sums

-- name: sales-by-branch
SELECT region, dictGet('bi.lookup_region', 'name', region) AS region_name, branch, dictGet('bi.lookup_branch', 'name', branch) AS branch_name,
    grouping(region, branch) AS sums, {sold}
FROM {sale} AS s GROUP BY GROUPING SETS ((region, branch), (region), ()) ORDER BY region_name, branch_name, sums

-- name: sales-by-region
SELECT region, dictGet('bi.lookup_region', 'name', region) AS region_name, grouping(region) AS sums, count() AS sales, sum(base) AS sales_amount,
    uniqExact(customer) AS buyers, sales / max(sales) OVER () AS sales_share, toFloat64(sales_amount) / toFloat64(max(sales_amount) OVER ()) AS sales_amount_share
FROM {sale} AS s WHERE now GROUP BY GROUPING SETS ((region), ()) ORDER BY sales_amount DESC

-- name: sales-by-manager
SELECT if(n <= 20, m, 0) AS manager, concat('manager ', toString(manager)) AS manager_name, n > 20 AS others, grouping(manager) AS sums,
    sum(c) AS sales, sum(a) AS sales_amount, uniqExactMerge(b) AS buyers
FROM
(
    SELECT manager AS m, count() AS c, sum(base) AS a, uniqExactState(customer) AS b, row_number() OVER (ORDER BY sum(base) DESC, manager) AS n
    FROM {sale} AS s WHERE now GROUP BY manager
)
GROUP BY GROUPING SETS ((manager, others), ()) ORDER BY sales_amount DESC

-- name: sales-by-segment
SELECT g.segment AS segment, grouping(segment) AS sums, count() AS sales, sum(s.base) AS sales_amount, uniqExact(s.customer) AS buyers, toFloat64(sales_amount) / sales AS mean_sale
FROM {sale} AS s
LEFT ANY JOIN
(
    SELECT m.customer_id AS customer_id, arrayStringConcat(arraySort(groupUniqArray(toString(m.segment))), ' + ') AS segment
    FROM tandem.segment_member AS m
    WHERE m.run_id IN
    (
        SELECT argMax(run_id, (as_of, computed_time, run_id)) FROM tandem.segment_run FINAL WHERE as_of <= '2026-06-30' GROUP BY segment
    )
    GROUP BY customer_id
) AS g ON g.customer_id = s.customer
WHERE now
GROUP BY GROUPING SETS ((segment), ()) ORDER BY sales_amount DESC

-- name: product
(SELECT product_id, family FROM tandem.product FINAL)

-- name: balances-and-turnover
SELECT month, family, sum(b) AS balance, sum(c) AS credits, sum(d) AS debits, sum(t) AS turnover, sum(a) AS active_accounts
FROM
(
    SELECT
        toStartOfMonth(business_date) AS month, p.family AS family, grouping(family) AS g, toDecimal128(0, 4) AS b,
        sumIf(base_value, direction = 'credit') AS c, sumIf(base_value, direction = 'debit') AS d, sum(base_value) AS t, uniqExact(account_id) AS a
    FROM (
        SELECT business_date, base_value, direction, account_id, dictGet('tandem.account_lookup', 'product_id', account_id) AS product
        FROM tandem.transaction FINAL WHERE state = 'posted' AND business_date BETWEEN '2025-07-01' AND '2026-06-30'
    ) AS f LEFT ANY JOIN {product} AS p ON p.product_id = f.product
    GROUP BY GROUPING SETS ((month, family), (month))
    UNION ALL
    SELECT toDate('2025-07-01') + INTERVAL at MONTH AS month, p.family AS family, grouping(family) AS g, sum(base) AS b, toDecimal128(0, 4), toDecimal128(0, 4), toDecimal128(0, 4), 0
    FROM
    (
        -- A balance holds until the account's next one. Those that agree in both are summed up before they are repeated.
        SELECT
            dictGet('tandem.account_lookup', 'product_id', account_id) AS product, cut,
            leadInFrame(cut, 1, 12) OVER (PARTITION BY account_id ORDER BY cut ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS next,
            round(ledger * dictGetOrNull('tandem.currency_lookup', 'rate', tuple(dictGet('tandem.account_lookup', 'currency', account_id)), day), 4) AS base
        FROM
        (
            SELECT account_id, toUInt8(greatest(0, dateDiff('month', toDate('2025-07-01'), business_date))) AS cut,
                argMax(balance, place) AS ledger, max(business_date) AS day
            FROM tandem.balance_statement WHERE business_date <= '2026-06-30'
            GROUP BY account_id, cut
        )
    ) AS f LEFT ANY JOIN {product} AS p ON p.product_id = f.product
    ARRAY JOIN range(cut, next) AS at
    GROUP BY GROUPING SETS ((month, family), (month))
)
GROUP BY month, family, g ORDER BY month, family

-- name: channel-use
SELECT toStartOfMonth(business_date) AS month, channel, count() AS contacts, uniqExact(customer_id) AS contacted_customers
FROM tandem.interaction FINAL WHERE business_date BETWEEN '2025-07-01' AND '2026-06-30'
GROUP BY GROUPING SETS ((month, channel), (month)) ORDER BY month, channel

-- name: customer
(
    SELECT customer_id AS customer, branch_id AS branch, ifNull(customer_since, toDate32('1900-01-01')) AS since,
        if(state = 'former', coalesce(state_since, dictGet('tandem.customer_left_lookup', 'closed', customer_id)), NULL) AS gone
    FROM tandem.customer FINAL WHERE state != 'prospect'
)

-- name: customer-flow
SELECT
    at.1 AS month, sum(at.2) AS customers_gained, sum(at.3) AS customers_lost, sum(sum(at.4)) OVER (ORDER BY month) AS customers,
    customers_lost / customers AS customer_loss_rate
FROM {customer} AS c
ARRAY JOIN arrayFilter(x -> isNotNull(x.1), [
    (if(since <= '2026-06-30', toStartOfMonth(greatest(since, toDate32('2025-07-01'))), NULL), since >= '2025-07-01', 0, 1),
    (if(gone <= '2026-06-30', toStartOfMonth(greatest(gone, toDate32('2025-07-01'))), NULL), 0, gone >= '2025-07-01', -1)]) AS at
GROUP BY month ORDER BY month

-- name: months
-- From the first cut at whose end it was true to the last. Rows that agree in both are counted together before they are repeated;
-- bitmaps are put together again many times as fast as the sets of uniqExact.
    toUInt8(clamp(ifNull(dateDiff('month', toDate32('2025-07-01'), since), 0), 0, 12)) AS first,
    toUInt8(clamp(ifNull(dateDiff('month', toDate32('2025-07-01'), gone), 12), 0, 12)) AS until

-- name: product-penetration
SELECT month, branch, dictGet('bi.lookup_branch', 'name', branch) AS branch_name, g, sum(c) AS customers, sum(a) / nullIf(customers, 0) AS account_penetration, sum(k) / nullIf(customers, 0) AS contract_penetration,
    sum(d) / nullIf(customers, 0) AS card_penetration
FROM
(
    SELECT month, branch, grouping(branch) AS g, toUInt64(sum(n)) AS c, toUInt64(0) AS a, toUInt64(0) AS k, toUInt64(0) AS d
    FROM (SELECT {months}, branch, count() AS n FROM {customer} AS c GROUP BY first, until, branch)
    ARRAY JOIN range(first, until) AS month GROUP BY GROUPING SETS ((month, branch), (month))
    UNION ALL
    SELECT month, branch, grouping(branch) AS g, 0, groupBitmapMerge(n), 0, 0
    FROM (SELECT {months}, branch, groupBitmapState(customer) AS n FROM (
        SELECT dictGet('tandem.account_lookup', 'customer_id', account_id) AS customer, dictGet('tandem.customer_lookup', 'branch_id', customer) AS branch,
            ifNull(opened, toDate32('1900-01-01')) AS since, closed AS gone
        FROM tandem.account FINAL
    ) GROUP BY first, until, branch) ARRAY JOIN range(first, until) AS month GROUP BY GROUPING SETS ((month, branch), (month))
    UNION ALL
    SELECT month, branch, grouping(branch) AS g, 0, 0, groupBitmapMerge(n), 0
    FROM (SELECT {months}, branch, groupBitmapState(customer) AS n FROM (
        SELECT dictGet('tandem.contract_lookup', 'customer_id', contract_id) AS party,
            if(party != 0, party, dictGet('tandem.account_lookup', 'customer_id', account_id)) AS customer,
            dictGet('tandem.customer_lookup', 'branch_id', customer) AS branch, coalesce(opened, signed) AS since, closed AS gone
        FROM tandem.contract FINAL WHERE state NOT IN ('draft', 'cancelled') AND since <= '2026-06-30'
    ) GROUP BY first, until, branch) ARRAY JOIN range(first, until) AS month GROUP BY GROUPING SETS ((month, branch), (month))
    UNION ALL
    SELECT month, branch, grouping(branch) AS g, 0, 0, 0, groupBitmapMerge(n)
    FROM (SELECT {months}, branch, groupBitmapState(customer) AS n FROM (
        SELECT customer_id AS customer, dictGet('tandem.customer_lookup', 'branch_id', customer) AS branch, issued AS since,
            if(state IN ('closed', 'expired', 'replaced'), toNullable(toDate32(state_since)), expiry) AS gone
        FROM tandem.card FINAL WHERE since <= '2026-06-30'
    ) GROUP BY first, until, branch) ARRAY JOIN range(first, until) AS month GROUP BY GROUPING SETS ((month, branch), (month))
)
GROUP BY month, branch, g ORDER BY month, branch_name, g

-- name: service-quality
SELECT
    class, grouping(class) AS sums, count() AS cases, countIf(resolved_time IS NULL) AS cases_open,
    avg(dateDiff('second', opened_time, first_answer_time)) / 3600 AS mean_answer_hours,
    avg(dateDiff('second', opened_time, resolved_time)) / 3600 AS mean_resolution_hours,
    avg(multiIf(answered = 0 OR resolved = 0, 0,
        (answered IS NULL AND first_answer_due_time IS NOT NULL) OR (resolved IS NULL AND due_time IS NOT NULL) OR (answered IS NULL AND resolved IS NULL), NULL, 1)) AS in_time_rate,
    avg(nullIf(satisfaction, 0)) AS satisfaction
FROM
(
    SELECT class, opened_time, first_answer_time, resolved_time, first_answer_due_time, due_time, satisfaction,
        multiIf(first_answer_due_time IS NULL, NULL, ifNull(first_answer_time, now64()) > first_answer_due_time, 0, first_answer_time IS NULL, NULL, 1) AS answered,
        multiIf(due_time IS NULL, NULL, ifNull(resolved_time, now64()) > due_time, 0, resolved_time IS NULL, NULL, 1) AS resolved
    FROM tandem.interaction FINAL WHERE kind = 'complaint' AND business_date BETWEEN '2025-07-01' AND '2026-06-30'
)
GROUP BY GROUPING SETS ((class), ()) ORDER BY cases DESC

-- name: rfm-migration
SELECT toStartOfMonth(as_of) AS month, cell_before, cell, count() AS rfm_pairs, countIf(cell != cell_before) AS rfm_moves
FROM
(
    SELECT d.as_of AS as_of, s.customer_id AS customer,
        anyIf(concat(toString(recency_bin), toString(frequency_bin), toString(monetary_bin)), d.now) AS cell,
        anyIf(concat(toString(recency_bin), toString(frequency_bin), toString(monetary_bin)), NOT d.now) AS cell_before
    FROM tandem.rfm_score AS s
    INNER JOIN
    (
        SELECT as_of, pair.1 AS run_id, pair.2 AS now
        FROM
        (
            SELECT as_of, run, lagInFrame(run) OVER (ORDER BY as_of ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS before,
                row_number() OVER (ORDER BY as_of) AS n
            FROM (SELECT as_of, argMax(run_id, (computed_time, run_id)) AS run FROM tandem.rfm_run FINAL GROUP BY as_of)
        )
        ARRAY JOIN [(run, true), (before, false)] AS pair
        WHERE n > 1 AND as_of BETWEEN '2025-07-01' AND '2026-06-30'
    ) AS d ON d.run_id = s.run_id
    GROUP BY as_of, customer
)
GROUP BY month, cell_before, cell ORDER BY month DESC, rfm_pairs DESC

-- name: clv-by-slice
SELECT month, kind, branch, dictGet('bi.lookup_branch', 'name', branch) AS branch_name, grouping(month, kind, branch) AS sums, count() AS clv_customers, sum(historic) AS clv_historic, sum(ifNull(predictive, 0)) AS clv_predictive,
    toFloat64(clv_predictive) / clv_customers AS mean_clv
FROM
(
    SELECT r.month AS month, dictGet('tandem.customer_lookup', 'kind', v.customer_id) AS kind,
        dictGet('tandem.customer_lookup', 'branch_id', v.customer_id) AS branch, v.historic AS historic, v.predictive AS predictive
    FROM tandem.clv_value AS v
    INNER JOIN
    (
        SELECT toStartOfMonth(as_of) AS month, argMax(run_id, (as_of, computed_time, run_id)) AS run_id
        FROM tandem.clv_run FINAL WHERE as_of BETWEEN '2025-07-01' AND '2026-06-30' GROUP BY month
    ) AS r ON r.run_id = v.run_id
)
GROUP BY GROUPING SETS ((month, kind, branch), (month, kind), (month)) ORDER BY month, kind, branch_name, sums

-- name: penetration-by-product
SELECT month, p.family AS family, product, dictGet('bi.lookup_product', 'name', product) AS product_name, g, sum(a) AS account_customers, sum(k) AS contract_customers, sum(d) AS card_customers
FROM
(
    SELECT month, q.family AS family, product, grouping(family, product) AS g, groupBitmapMerge(n) AS a, toUInt64(0) AS k, toUInt64(0) AS d
    FROM (SELECT {months}, product, groupBitmapState(customer) AS n FROM (
        SELECT dictGet('tandem.account_lookup', 'customer_id', account_id) AS customer, product_id AS product,
            ifNull(opened, toDate32('1900-01-01')) AS since, closed AS gone
        FROM tandem.account FINAL
    ) GROUP BY first, until, product) AS f LEFT ANY JOIN {product} AS q ON q.product_id = f.product ARRAY JOIN range(first, until) AS month
    GROUP BY GROUPING SETS ((month, family, product), (month, family), (month))
    UNION ALL
    SELECT month, q.family AS family, product, grouping(family, product) AS g, 0, groupBitmapMerge(n), 0
    FROM (SELECT {months}, product, groupBitmapState(customer) AS n FROM (
        SELECT dictGet('tandem.contract_lookup', 'customer_id', contract_id) AS party, product_id AS product,
            if(party != 0, party, dictGet('tandem.account_lookup', 'customer_id', account_id)) AS customer,
            coalesce(opened, signed) AS since, closed AS gone
        FROM tandem.contract FINAL WHERE state NOT IN ('draft', 'cancelled') AND since <= '2026-06-30'
    ) GROUP BY first, until, product) AS f LEFT ANY JOIN {product} AS q ON q.product_id = f.product ARRAY JOIN range(first, until) AS month
    GROUP BY GROUPING SETS ((month, family, product), (month, family), (month))
    UNION ALL
    SELECT month, q.family AS family, product, grouping(family, product) AS g, 0, 0, groupBitmapMerge(n)
    FROM (SELECT {months}, product, groupBitmapState(customer) AS n FROM (
        SELECT customer_id AS customer, product_id AS product, issued AS since,
            if(state IN ('closed', 'expired', 'replaced'), toNullable(toDate32(state_since)), expiry) AS gone
        FROM tandem.card FINAL WHERE since <= '2026-06-30'
    ) GROUP BY first, until, product) AS f LEFT ANY JOIN {product} AS q ON q.product_id = f.product ARRAY JOIN range(first, until) AS month
    GROUP BY GROUPING SETS ((month, family, product), (month, family), (month))
) AS p
GROUP BY month, family, product, g ORDER BY month, family, product_name, g
