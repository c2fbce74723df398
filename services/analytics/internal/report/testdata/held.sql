SELECT r.o AS o, r.g AS g, r.t AS t, toString(r.k0) AS k0, dictGet('bi.lookup_region', 'name', r.k0) AS n0, CAST(r.b0, 'Nullable(Int64)') AS v0
FROM (SELECT x.t AS t, toUInt8(0) AS o, x.k0 AS k0, toUInt64(grouping(x.k0)) AS g, sum(x.b0) AS b0
FROM (SELECT cut__ AS t, h.o AS o, h.k0 AS k0, h.g AS g, h.b0 AS b0
FROM (SELECT toUInt16(arrayCount(z -> z < assumeNotNull(ifNull(f.customer_since, toDate32('1900-01-01'))), {p2:Array(Date32)})) AS over__, toUInt16(if(f.left_on IS NULL, length({p2:Array(Date32)}), arrayCount(z -> z < assumeNotNull(f.left_on), {p2:Array(Date32)}))) AS until__, toUInt8(0) AS o, toUInt64(f.region_id) AS k0, toUInt64(0) AS g, toInt64(count()) AS b0
FROM bi.dim_customer AS f
WHERE ifNull(f.customer_since, toDate32('1900-01-01')) <= {p3:Date32} AND f.state != 'prospect'
GROUP BY over__, until__, f.region_id) AS h
ARRAY JOIN arraySlice({p1:Array(Date32)}, h.over__ + 1, greatest(0, toInt64(h.until__) - h.over__)) AS cut__) AS x
GROUP BY GROUPING SETS ((x.t, x.k0), (x.t))) AS r
ORDER BY r.t, bitTest(r.g, 0), dictGet('bi.lookup_region', 'name', r.k0), r.k0, r.g
LIMIT {p4:UInt64}
