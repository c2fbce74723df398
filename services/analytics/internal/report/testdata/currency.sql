SELECT r.o AS o, r.g AS g, CAST(r.v0, 'Nullable(Decimal(38, 4))') AS v0, CAST(r.v1, 'Nullable(Decimal(38, 4))') AS v1
FROM (SELECT c.o AS o, c.g AS g, c.b0 AS v0, c.b1 AS v1
FROM (SELECT u.o AS o, u.g AS g, sum(u.b0) AS b0, sum(u.b1) AS b1
FROM (SELECT toUInt8(0) AS o, toUInt64(0) AS g, sum(ifNull(f.amount, 0)) AS b0, CAST(0, 'Decimal(38, 4)') AS b1
FROM bi.fact_transaction AS f
WHERE f.business_date <= {p1:Date} AND f.currency = {p2:String}
UNION ALL SELECT toUInt8(0) AS o, toUInt64(0) AS g, CAST(0, 'Decimal(38, 4)') AS b0, sum(ifNull(f.balance, 0)) AS b1
FROM (SELECT e.account_id AS account_id, e.branch_id AS branch_id, e.currency AS currency, e.customer_id AS customer_id, e.manager_id AS manager_id, e.product_id AS product_id, e.region_id AS region_id, tupleElement(e.values__, 1) AS balance, tupleElement(e.values__, 2) AS business_date
FROM (SELECT f.account_id AS account_id, any(f.branch_id) AS branch_id, any(f.currency) AS currency, any(f.customer_id) AS customer_id, any(f.manager_id) AS manager_id, any(f.product_id) AS product_id, any(f.region_id) AS region_id, argMax(tuple(f.balance, f.business_date), f.business_date) AS values__
FROM bi.fact_balance_day AS f
WHERE f.business_date <= {p3:Date}
GROUP BY f.account_id) AS e) AS f
WHERE f.currency = {p4:String}) AS u
GROUP BY u.o, u.g) AS c) AS r
ORDER BY r.g
LIMIT {p5:UInt64}
