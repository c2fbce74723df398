SELECT r.o AS o, r.g AS g, toString(r.k0) AS k0, dictGet('bi.lookup_region', 'name', r.k0) AS n0, toString(r.k1) AS k1, dictGet('bi.lookup_branch', 'name', r.k1) AS n1, CAST(r.b0, 'Nullable(Int64)') AS v0
FROM (SELECT toUInt8(0) AS o, x.k0 AS k0, x.k1 AS k1, toUInt64(grouping(x.k0, x.k1)) AS g, toInt64(uniqExactMerge(x.b0)) AS b0
FROM (SELECT toUInt8(0) AS o, toUInt64(f.region_id) AS k0, toUInt64(f.branch_id) AS k1, toUInt64(0) AS g, uniqExactState(f.customer_id) AS b0
FROM bi.fact_transaction AS f
WHERE f.business_date <= {p1:Date}
GROUP BY f.region_id, f.branch_id) AS x
GROUP BY GROUPING SETS ((x.k0, x.k1), (x.k0), ())) AS r
ORDER BY bitTest(r.g, 1), dictGet('bi.lookup_region', 'name', r.k0), r.k0, bitTest(r.g, 0), dictGet('bi.lookup_branch', 'name', r.k1), r.k1, r.g
LIMIT {p2:UInt64}
