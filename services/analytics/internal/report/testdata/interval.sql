SELECT r.o AS o, r.g AS g, toString(r.k0) AS k0, dictGet('bi.lookup_region', 'name', r.k0) AS n0, CAST(r.b0, 'Nullable(Int64)') AS v0
FROM (SELECT toUInt8(0) AS o, toUInt64(f.region_id) AS k0, toUInt64(0) AS g, toInt64(count()) AS b0
FROM bi.dim_customer AS f
WHERE ifNull(f.customer_since, toDate32('1900-01-01')) <= {p1:Date32} AND (f.left_on IS NULL OR f.left_on > {p1:Date32}) AND f.state != 'prospect'
GROUP BY f.region_id) AS r
ORDER BY bitTest(r.g, 0), dictGet('bi.lookup_region', 'name', r.k0), r.k0, r.g
LIMIT {p2:UInt64}
