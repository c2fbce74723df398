SELECT r.o AS o, r.g AS g, toString(r.k0) AS k0, dictGet('bi.lookup_branch', 'name', r.k0) AS n0, CAST(r.v0, 'Nullable(Decimal(38, 4))') AS v0, CAST(r.v1, 'Nullable(Decimal(38, 4))') AS v1, CAST(r.v2, 'Nullable(Decimal(38, 4))') AS v2, CAST(r.v3, 'Nullable(Float64)') AS v3, CAST(r.v4, 'Nullable(Int64)') AS v4, CAST(r.v5, 'Nullable(Int64)') AS v5, CAST(r.v6, 'Nullable(Int64)') AS v6, CAST(r.v7, 'Nullable(Float64)') AS v7
FROM (SELECT c.o AS o, c.k0 AS k0, c.g AS g, c.b0 AS v0, c.e0 AS v1, c.b0 - c.e0 AS v2, if(ifNull(c.e0, 0) = 0, NULL, toFloat64(c.b0 - c.e0) / toFloat64(c.e0)) AS v3, c.b1 AS v4, c.e1 AS v5, c.b1 - c.e1 AS v6, if(ifNull(c.e1, 0) = 0, NULL, toFloat64(c.b1 - c.e1) / toFloat64(c.e1)) AS v7
FROM (SELECT toUInt8(0) AS o, toUInt64(f.branch_id) AS k0, toUInt64(0) AS g, sumIf(ifNull(f.base_amount, 0), f.business_date >= {p5:Date}) AS b0, sumIf(ifNull(f.base_amount, 0), f.business_date <= {p6:Date}) AS e0, toInt64(uniqExactIf(f.customer_id, f.business_date >= {p7:Date})) AS b1, toInt64(uniqExactIf(f.customer_id, f.business_date <= {p8:Date})) AS e1
FROM bi.fact_transaction AS f
WHERE f.business_date <= {p1:Date} AND f.business_date >= {p2:Date} AND (f.business_date <= {p3:Date} OR f.business_date >= {p4:Date})
GROUP BY f.branch_id) AS c) AS r
ORDER BY bitTest(r.g, 0), dictGet('bi.lookup_branch', 'name', r.k0), r.k0, r.g
LIMIT {p9:UInt64}
