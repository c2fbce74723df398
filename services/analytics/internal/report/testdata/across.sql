SELECT r.o AS o, r.g AS g, toString(r.k0) AS k0, dictGet('bi.lookup_branch', 'name', r.k0) AS n0, CAST(if(r.b1 = 0, NULL, toFloat64(r.b0) / toFloat64(r.b1)), 'Nullable(Float64)') AS v0, CAST(r.b2, 'Nullable(Int64)') AS v1
FROM (SELECT u.o AS o, u.k0 AS k0, u.g AS g, sum(u.b0) AS b0, sum(u.b1) AS b1, sum(u.b2) AS b2
FROM (SELECT toUInt8(0) AS o, toUInt64(f.branch_id) AS k0, toUInt64(0) AS g, sum(ifNull(f.base_amount, 0)) AS b0, CAST(0, 'Int64') AS b1, CAST(0, 'Int64') AS b2
FROM bi.fact_transaction AS f
WHERE f.business_date <= {p1:Date}
GROUP BY f.branch_id
UNION ALL SELECT toUInt8(0) AS o, toUInt64(f.branch_id) AS k0, toUInt64(0) AS g, CAST(0, 'Decimal(38, 4)') AS b0, toInt64(count()) AS b1, CAST(0, 'Int64') AS b2
FROM bi.dim_customer AS f
WHERE ifNull(f.customer_since, toDate32('1900-01-01')) <= {p2:Date32} AND (f.left_on IS NULL OR f.left_on > {p2:Date32}) AND f.state != 'prospect'
GROUP BY f.branch_id
UNION ALL SELECT toUInt8(0) AS o, toUInt64(f.branch_id) AS k0, toUInt64(0) AS g, CAST(0, 'Decimal(38, 4)') AS b0, CAST(0, 'Int64') AS b1, toInt64(count()) AS b2
FROM bi.fact_interaction AS f
WHERE f.business_date <= {p3:Date}
GROUP BY f.branch_id) AS u
GROUP BY u.o, u.k0, u.g) AS r
ORDER BY bitTest(r.g, 0), dictGet('bi.lookup_branch', 'name', r.k0), r.k0, r.g
LIMIT {p4:UInt64}
