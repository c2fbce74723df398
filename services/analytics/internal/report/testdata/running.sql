SELECT r.o AS o, r.g AS g, r.t AS t, toString(r.k0) AS k0, dictGet('bi.lookup_branch', 'name', r.k0) AS n0, CAST(r.b0, 'Nullable(Decimal(38, 4))') AS v0, CAST(sum(r.b0) OVER (PARTITION BY r.k0, r.o
ORDER BY r.t ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW), 'Nullable(Decimal(38, 4))') AS v1, CAST(if(sumIf(r.b0, r.g = 0) OVER (PARTITION BY r.t) = 0, NULL, toFloat64(r.b0) / toFloat64(sumIf(r.b0, r.g = 0) OVER (PARTITION BY r.t))), 'Nullable(Float64)') AS v2
FROM (SELECT toDate32(toStartOfMonth(f.business_date)) AS t, toUInt8(0) AS o, toUInt64(f.branch_id) AS k0, toUInt64(0) AS g, sum(ifNull(f.base_amount, 0)) AS b0
FROM bi.fact_transaction AS f
WHERE f.business_date <= {p1:Date} AND f.business_date >= {p2:Date}
GROUP BY toDate32(toStartOfMonth(f.business_date)), f.branch_id) AS r
ORDER BY bitCount(r.g), r.o, v0 DESC NULLS LAST, r.t, bitTest(r.g, 0), dictGet('bi.lookup_branch', 'name', r.k0), r.k0, r.g
LIMIT {p3:UInt64}
