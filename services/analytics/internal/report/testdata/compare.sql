SELECT r.o AS o, r.g AS g, r.t AS t, CAST(r.b0, 'Nullable(Decimal(38, 4))') AS v0, CAST(r.e0, 'Nullable(Decimal(38, 4))') AS v1, CAST(r.b0 - r.e0, 'Nullable(Decimal(38, 4))') AS v2, CAST(if(ifNull(r.e0, 0) = 0, NULL, toFloat64(r.b0 - r.e0) / toFloat64(r.e0)), 'Nullable(Float64)') AS v3
FROM (SELECT u.t AS t, u.o AS o, u.g AS g, sum(u.b0) AS b0, sum(u.e0) AS e0
FROM (SELECT toDate32(toStartOfMonth(f.business_date)) AS t, toUInt8(0) AS o, toUInt64(0) AS g, sum(ifNull(f.base_amount, 0)) AS b0, CAST(0, 'Decimal(38, 4)') AS e0
FROM bi.fact_transaction AS f
WHERE f.business_date <= {p1:Date} AND f.business_date >= {p2:Date}
GROUP BY toDate32(toStartOfMonth(f.business_date))
UNION ALL SELECT x.t AS t, toUInt8(0) AS o, toUInt64(0) AS g, CAST(0, 'Decimal(38, 4)') AS b0, sum(x.e0) AS e0
FROM (SELECT y.* EXCEPT (o, t), y.o AS o, z__.2 AS t
FROM (SELECT toDate32(toStartOfMonth(f.business_date)) AS t, toUInt8(0) AS o, toUInt64(0) AS g, CAST(0, 'Decimal(38, 4)') AS b0, sum(ifNull(f.base_amount, 0)) AS e0
FROM bi.fact_transaction AS f
WHERE f.business_date <= {p3:Date} AND f.business_date >= {p4:Date}
GROUP BY toDate32(toStartOfMonth(f.business_date))) AS y
ARRAY JOIN arrayFilter(z -> z.1 = y.t, arrayZip({p5:Array(Date32)}, {p6:Array(Date32)})) AS z__) AS x
GROUP BY x.t, x.o) AS u
GROUP BY u.t, u.o, u.g) AS r
ORDER BY r.t, r.g
LIMIT {p7:UInt64}
