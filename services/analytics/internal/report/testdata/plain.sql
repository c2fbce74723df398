SELECT r.o AS o, r.g AS g, toString(r.k0) AS k0, dictGet('bi.lookup_branch', 'name', r.k0) AS n0, CAST(r.b0, 'Nullable(Decimal(38, 4))') AS v0
FROM (SELECT toUInt8(0) AS o, toUInt64(f.branch_id) AS k0, toUInt64(0) AS g, sum(ifNull(f.base_amount, 0)) AS b0
FROM bi.fact_transaction AS f
WHERE f.business_date <= {p1:Date}
GROUP BY f.branch_id) AS r
ORDER BY bitTest(r.g, 0), dictGet('bi.lookup_branch', 'name', r.k0), r.k0, r.g
LIMIT {p2:UInt64}
