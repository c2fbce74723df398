-- The same answers by Postgres, over the rows of the star schema; see clickhouse.sql.

-- name: sale
(
    SELECT *, business_date >= '2025-07-01' AS now FROM contract
    WHERE business_date BETWEEN '2024-07-01' AND '2026-06-30' AND state NOT IN ('draft', 'cancelled')
)

-- name: sold
    count(*) FILTER (WHERE now) AS sales, count(*) FILTER (WHERE NOT now) AS sales_earlier,
    sum(base_amount) FILTER (WHERE now) AS sales_amount, sum(base_amount) FILTER (WHERE NOT now) AS sales_amount_earlier,
    count(DISTINCT customer_id) FILTER (WHERE now) AS buyers, count(DISTINCT customer_id) FILTER (WHERE NOT now) AS buyers_earlier

-- name: sales-by-product
SELECT p.family, s.product_id, {sold},
    avg(base_amount) FILTER (WHERE now) AS mean_sale, avg(base_amount) FILTER (WHERE NOT now) AS mean_sale_earlier
FROM {sale} AS s LEFT JOIN product AS p USING (product_id) GROUP BY ROLLUP (p.family, s.product_id) ORDER BY 1, 2

-- name: sales-by-branch
SELECT region_id, branch_id, {sold} FROM {sale} AS s GROUP BY ROLLUP (region_id, branch_id) ORDER BY 1, 2

-- name: sales-by-region
SELECT region_id, count(*) AS sales, sum(base_amount) AS sales_amount, count(DISTINCT customer_id) AS buyers
FROM {sale} AS s WHERE now GROUP BY ROLLUP (region_id) ORDER BY sales_amount DESC

-- name: sales-by-manager
SELECT top.manager_id, count(*) AS sales, sum(base_amount) AS sales_amount, count(DISTINCT customer_id) AS buyers
FROM {sale} AS s
LEFT JOIN
    (SELECT manager_id FROM {sale} AS t WHERE now GROUP BY manager_id ORDER BY sum(base_amount) DESC, manager_id LIMIT 20) AS top USING (manager_id)
WHERE now GROUP BY GROUPING SETS ((top.manager_id), ()) ORDER BY sales_amount DESC

-- name: sales-by-segment
SELECT g.segment, count(*) AS sales, sum(base_amount) AS sales_amount, count(DISTINCT customer_id) AS buyers, avg(base_amount) AS mean_sale
FROM {sale} AS s
LEFT JOIN
(
    SELECT customer_id, string_agg(segment, ' + ' ORDER BY segment) AS segment FROM segment_member
    WHERE (segment, as_of) IN (SELECT segment, max(as_of) FROM segment_member WHERE as_of <= '2026-06-30' GROUP BY segment)
    GROUP BY customer_id
) AS g USING (customer_id)
WHERE now GROUP BY GROUPING SETS ((g.segment), ()) ORDER BY sales_amount DESC

-- name: cuts
(SELECT m::date AS month, (m + interval '1 month - 1 day')::date AS last FROM generate_series(date '2025-07-01', date '2026-06-01', interval '1 month') AS m)

-- name: balances-and-turnover
SELECT month, family, sum(b) AS balance, sum(c) AS credits, sum(d) AS debits, sum(t) AS turnover, sum(a) AS active_accounts
FROM
(
    SELECT date_trunc('month', business_date)::date AS month, p.family, grouping(p.family) AS g, 0 AS b,
        sum(base_amount) FILTER (WHERE direction = 'credit') AS c, sum(base_amount) FILTER (WHERE direction = 'debit') AS d, sum(base_amount) AS t,
        count(DISTINCT account_id) AS a
    FROM transaction JOIN product AS p USING (product_id)
    WHERE business_date BETWEEN '2025-07-01' AND '2026-06-30' GROUP BY GROUPING SETS ((1, p.family), (1))
    UNION ALL
    SELECT cuts.month, p.family, grouping(p.family), sum(s.base_balance), 0, 0, 0, 0
    FROM
    (
        SELECT account_id, product_id, base_balance, business_date,
            lead(business_date, 1, date '9999-01-01') OVER (PARTITION BY account_id ORDER BY business_date) AS next
        FROM balance_day WHERE business_date <= '2026-06-30'
    ) AS s
    JOIN {cuts} AS cuts ON s.business_date <= cuts.last AND s.next > cuts.last
    JOIN product AS p USING (product_id)
    GROUP BY GROUPING SETS ((cuts.month, p.family), (cuts.month))
) AS u
GROUP BY month, family, g ORDER BY month, family

-- name: channel-use
SELECT date_trunc('month', business_date) AS month, channel, count(*) AS contacts, count(DISTINCT customer_id) AS contacted_customers
FROM interaction WHERE business_date BETWEEN '2025-07-01' AND '2026-06-30' GROUP BY GROUPING SETS ((1, channel), (1)) ORDER BY 1, 2

-- name: customer
(
    SELECT c.customer_id, c.branch_id, coalesce(c.customer_since, date '1900-01-01') AS since,
        CASE WHEN c.state = 'former' THEN coalesce(c.state_since, a.closed) END AS gone
    FROM customer AS c LEFT JOIN (SELECT customer_id, max(closed) AS closed FROM account GROUP BY customer_id) AS a USING (customer_id)
    WHERE c.state <> 'prospect'
)

-- name: customer-flow
SELECT cuts.month, g.n AS customers_gained, l.n AS customers_lost, c.n AS customers, l.n::float8 / c.n AS customer_loss_rate
FROM {cuts} AS cuts
JOIN (SELECT date_trunc('month', since) AS month, count(*) AS n FROM {customer} AS c GROUP BY 1) AS g ON g.month = cuts.month
JOIN (SELECT date_trunc('month', gone) AS month, count(*) AS n FROM {customer} AS c GROUP BY 1) AS l ON l.month = cuts.month
JOIN
(
    SELECT cuts.month, count(*) AS n FROM {customer} AS c JOIN {cuts} AS cuts ON c.since <= cuts.last AND (c.gone IS NULL OR c.gone > cuts.last) GROUP BY 1
) AS c ON c.month = cuts.month
ORDER BY 1

-- name: product-penetration
SELECT month, branch_id, sum(c) AS customers, sum(a)::float8 / nullif(sum(c), 0) AS account_penetration,
    sum(k)::float8 / nullif(sum(c), 0) AS contract_penetration, sum(d)::float8 / nullif(sum(c), 0) AS card_penetration
FROM
(
    SELECT month, branch_id, grouping(branch_id) AS g, count(*) AS c, 0 AS a, 0 AS k, 0 AS d
    FROM {customer} AS x JOIN {cuts} AS cuts ON since <= last AND (gone IS NULL OR gone > last) GROUP BY GROUPING SETS ((month, branch_id), (month))
    UNION ALL
    SELECT month, c.branch_id, grouping(c.branch_id), 0, count(DISTINCT customer_id), 0, 0
    FROM account AS a JOIN customer AS c USING (customer_id)
    JOIN {cuts} AS cuts ON a.opened <= last AND (a.closed IS NULL OR a.closed > last) GROUP BY GROUPING SETS ((month, c.branch_id), (month))
    UNION ALL
    SELECT month, branch_id, grouping(branch_id), 0, 0, count(DISTINCT customer_id), 0
    FROM contract AS x JOIN {cuts} AS cuts ON business_date <= last AND (closed IS NULL OR closed > last)
    WHERE state NOT IN ('draft', 'cancelled') GROUP BY GROUPING SETS ((month, branch_id), (month))
    UNION ALL
    SELECT month, branch_id, grouping(branch_id), 0, 0, 0, count(DISTINCT customer_id)
    FROM (SELECT *, CASE WHEN state IN ('closed', 'expired', 'replaced') THEN state_since ELSE expiry END AS gone FROM card) AS x
    JOIN {cuts} AS cuts ON issued <= last AND (gone IS NULL OR gone > last) GROUP BY GROUPING SETS ((month, branch_id), (month))
) AS u
GROUP BY month, branch_id, g ORDER BY month, branch_id

-- name: service-quality
SELECT class, count(*) AS cases, sum(is_open) AS cases_open, avg(hours_to_answer) AS mean_answer_hours, avg(hours_to_resolve) AS mean_resolution_hours,
    avg(within_service_level) AS in_time_rate, avg(satisfaction) AS satisfaction
FROM service_quality WHERE kind = 'complaint' AND business_date BETWEEN '2025-07-01' AND '2026-06-30'
GROUP BY GROUPING SETS ((class), ()) ORDER BY cases DESC

-- name: rfm-migration
SELECT date_trunc('month', as_of) AS month, cell_before, cell, count(*) AS rfm_pairs, count(*) FILTER (WHERE cell <> cell_before) AS rfm_moves
FROM
(
    SELECT d.as_of, s.customer_id, coalesce(max(s.cell) FILTER (WHERE s.as_of = d.as_of), '') AS cell,
        coalesce(max(s.cell) FILTER (WHERE s.as_of = d.before), '') AS cell_before
    FROM (SELECT as_of, lag(as_of) OVER (ORDER BY as_of) AS before FROM (SELECT DISTINCT as_of FROM rfm) AS days) AS d
    JOIN rfm AS s ON s.as_of IN (d.as_of, d.before)
    WHERE d.before IS NOT NULL AND d.as_of BETWEEN '2025-07-01' AND '2026-06-30'
    GROUP BY d.as_of, s.customer_id
) AS pairs
GROUP BY 1, 2, 3 ORDER BY 1 DESC, 4 DESC

-- name: clv-by-slice
SELECT month, c.kind, c.branch_id, count(*) AS clv_customers, sum(v.base_historic) AS clv_historic, sum(v.base_predictive) AS clv_predictive,
    sum(v.base_predictive) / count(*) AS mean_clv
FROM (SELECT date_trunc('month', as_of) AS month, max(as_of) AS as_of FROM clv WHERE as_of BETWEEN '2025-07-01' AND '2026-06-30' GROUP BY 1) AS r
JOIN clv AS v USING (as_of) JOIN customer AS c USING (customer_id)
GROUP BY GROUPING SETS ((month, c.kind, c.branch_id), (month, c.kind), (month)) ORDER BY 1, 2, 3

-- name: penetration-by-product
SELECT month, family, product_id, sum(a) AS account_customers, sum(k) AS contract_customers, sum(d) AS card_customers
FROM
(
    SELECT month, family, product_id, grouping(family, product_id) AS g, count(DISTINCT customer_id) AS a, 0 AS k, 0 AS d
    FROM account JOIN product USING (product_id) JOIN {cuts} AS cuts ON opened <= last AND (closed IS NULL OR closed > last)
    GROUP BY GROUPING SETS ((month, family, product_id), (month, family), (month))
    UNION ALL
    SELECT month, family, product_id, grouping(family, product_id), 0, count(DISTINCT customer_id), 0
    FROM contract JOIN product USING (product_id) JOIN {cuts} AS cuts ON business_date <= last AND (closed IS NULL OR closed > last)
    WHERE state NOT IN ('draft', 'cancelled') GROUP BY GROUPING SETS ((month, family, product_id), (month, family), (month))
    UNION ALL
    SELECT month, family, product_id, grouping(family, product_id), 0, 0, count(DISTINCT customer_id)
    FROM (SELECT *, CASE WHEN state IN ('closed', 'expired', 'replaced') THEN state_since ELSE expiry END AS gone FROM card) AS x
    JOIN product USING (product_id) JOIN {cuts} AS cuts ON issued <= last AND (gone IS NULL OR gone > last)
    GROUP BY GROUPING SETS ((month, family, product_id), (month, family), (month))
) AS u
GROUP BY month, family, product_id, g ORDER BY month, family, product_id
