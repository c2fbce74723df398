SELECT r.o AS o, r.g AS g, r.t AS t, toString(r.k0) AS k0, dictGet('bi.lookup_branch', 'name', r.k0) AS n0, CAST(r.v0, 'Nullable(Decimal(38, 4))') AS v0, CAST(r.v1, 'Nullable(Decimal(38, 4))') AS v1, CAST(r.v2, 'Nullable(Float64)') AS v2
FROM (SELECT c.t AS t, c.o AS o, c.k0 AS k0, c.g AS g, c.b0 AS v0, sum(c.b0) OVER (PARTITION BY c.k0, c.o
ORDER BY c.t ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS v1, if(sumIf(c.b0, c.g = 0) OVER (PARTITION BY c.t) = 0, NULL, toFloat64(c.b0) / toFloat64(sumIf(c.b0, c.g = 0) OVER (PARTITION BY c.t))) AS v2
FROM (SELECT toDate32(toStartOfMonth(f.business_date)) AS t, toUInt8(0) AS o, toUInt64(f.branch_id) AS k0, toUInt64(0) AS g, sum(ifNull(f.base_amount, 0)) AS b0
FROM bi.fact_transaction AS f
WHERE f.business_date <= {p1:Date} AND f.business_date >= {p2:Date}
GROUP BY toDate32(toStartOfMonth(f.business_date)), f.branch_id) AS c) AS r
ORDER BY bitCount(r.g), r.o, r.v0 DESC NULLS LAST, r.t, bitTest(r.g, 0), dictGet('bi.lookup_branch', 'name', r.k0), r.k0, r.g
LIMIT {p3:UInt64}
