SELECT r.o AS o, r.g AS g, toString(r.k0) AS k0, dictGet('bi.lookup_branch', 'name', r.k0) AS n0, CAST(r.b0, 'Nullable(Decimal(38, 4))') AS v0, CAST(r.e0, 'Nullable(Decimal(38, 4))') AS v1, CAST(r.b0 - r.e0, 'Nullable(Decimal(38, 4))') AS v2, CAST(if(ifNull(r.e0, 0) = 0, NULL, toFloat64(r.b0 - r.e0) / toFloat64(r.e0)), 'Nullable(Float64)') AS v3, CAST(r.b1, 'Nullable(Int64)') AS v4, CAST(r.e1, 'Nullable(Int64)') AS v5, CAST(r.b1 - r.e1, 'Nullable(Int64)') AS v6, CAST(if(ifNull(r.e1, 0) = 0, NULL, toFloat64(r.b1 - r.e1) / toFloat64(r.e1)), 'Nullable(Float64)') AS v7
FROM (SELECT toUInt8(0) AS o, toUInt64(f.branch_id) AS k0, toUInt64(0) AS g, sumIf(ifNull(f.base_amount, 0), f.business_date >= {p5:Date}) AS b0, sumIf(ifNull(f.base_amount, 0), f.business_date <= {p6:Date}) AS e0, toInt64(uniqExactIf(f.customer_id, f.business_date >= {p7:Date})) AS b1, toInt64(uniqExactIf(f.customer_id, f.business_date <= {p8:Date})) AS e1
FROM bi.fact_transaction AS f
WHERE f.business_date <= {p1:Date} AND f.business_date >= {p2:Date} AND (f.business_date <= {p3:Date} OR f.business_date >= {p4:Date})
GROUP BY f.branch_id) AS r
ORDER BY bitTest(r.g, 0), dictGet('bi.lookup_branch', 'name', r.k0), r.k0, r.g
LIMIT {p9:UInt64}
