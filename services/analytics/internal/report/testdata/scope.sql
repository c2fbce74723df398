SELECT r.o AS o, r.g AS g, CAST(r.b0, 'Nullable(Int64)') AS v0
FROM (SELECT toUInt8(0) AS o, toUInt64(0) AS g, toInt64(count()) AS b0
FROM bi.fact_interaction AS f
WHERE f.business_date <= {p1:Date} AND f.branch_id IN {p2:Array(UInt64)}) AS r
ORDER BY r.g
LIMIT {p3:UInt64}
