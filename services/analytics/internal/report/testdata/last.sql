SELECT r.o AS o, r.g AS g, r.t AS t, toString(r.k0) AS k0, toString(r.k0) AS n0, CAST(r.v0, 'Nullable(Decimal(38, 4))') AS v0
FROM (SELECT c.t AS t, c.o AS o, c.k0 AS k0, c.g AS g, c.b0 AS v0
FROM (SELECT f.cut__ AS t, toUInt8(0) AS o, toString(customer.age_band) AS k0, toUInt64(0) AS g, sum(ifNull(f.base_balance, 0)) AS b0
FROM (SELECT e.account_id AS account_id, e.branch_id AS branch_id, e.currency AS currency, e.customer_id AS customer_id, e.manager_id AS manager_id, e.product_id AS product_id, e.region_id AS region_id, tupleElement(e.points__[arrayLastIndex(x -> x.1 <= z__.1, e.points__)].2, 1) AS base_balance, tupleElement(e.points__[arrayLastIndex(x -> x.1 <= z__.1, e.points__)].2, 2) AS business_date, z__.1 AS cut__
FROM (SELECT c.account_id AS account_id, any(c.branch_id) AS branch_id, any(c.currency) AS currency, any(c.customer_id) AS customer_id, any(c.manager_id) AS manager_id, any(c.product_id) AS product_id, any(c.region_id) AS region_id, arraySort(groupArray((c.cut__, c.values__))) AS points__
FROM (SELECT f.account_id AS account_id, any(f.branch_id) AS branch_id, any(f.currency) AS currency, any(f.customer_id) AS customer_id, any(f.manager_id) AS manager_id, any(f.product_id) AS product_id, any(f.region_id) AS region_id, argMax(tuple(f.base_balance, f.business_date), f.business_date) AS values__, greatest(toDate32(toStartOfMonth(f.business_date)), {p2:Date32}) AS cut__
FROM bi.fact_balance_day AS f
WHERE f.business_date <= {p1:Date}
GROUP BY f.account_id, cut__) AS c
GROUP BY c.account_id) AS e
ARRAY JOIN arrayFilter(z -> z.1 >= e.points__[1].1, arrayZip({p3:Array(Date32)}, {p4:Array(Date32)})) AS z__) AS f
LEFT ANY JOIN bi.dim_customer AS customer ON customer.customer_id = f.customer_id
WHERE true
GROUP BY f.cut__, customer.age_band) AS c) AS r
ORDER BY r.t, bitTest(r.g, 0), toString(r.k0), r.k0, r.g
LIMIT {p5:UInt64}
