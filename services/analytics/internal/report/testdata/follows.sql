SELECT r.o AS o, r.g AS g, r.t AS t, toString(r.k0) AS k0, toString(r.k0) AS n0, toString(r.k1) AS k1, dictGet('bi.lookup_product', 'name', r.k1) AS n1, CAST(r.b0, 'Nullable(Int64)') AS v0
FROM (SELECT cut__ AS t, h.o AS o, h.k0 AS k0, h.k1 AS k1, h.g AS g, toInt64(groupBitmapMerge(h.b0)) AS b0
FROM (SELECT toUInt16(arrayCount(z -> z < assumeNotNull(ifNull(f.opened, toDate32('1900-01-01'))), {p2:Array(Date32)})) AS over__, toUInt16(if(f.closed IS NULL, length({p2:Array(Date32)}), arrayCount(z -> z < assumeNotNull(f.closed), {p2:Array(Date32)}))) AS until__, toUInt8(0) AS o, toString(dictGet('bi.lookup_product', 'family', f.product_id)) AS k0, toUInt64(f.product_id) AS k1, toUInt64(0) AS g, groupBitmapState(f.customer_id) AS b0
FROM bi.dim_account AS f
WHERE ifNull(f.opened, toDate32('1900-01-01')) <= {p3:Date32}
GROUP BY over__, until__, f.product_id) AS h
ARRAY JOIN arraySlice({p1:Array(Date32)}, h.over__ + 1, greatest(0, toInt64(h.until__) - h.over__)) AS cut__
GROUP BY cut__, h.o, h.k0, h.k1, h.g) AS r
ORDER BY r.t, bitTest(r.g, 1), toString(r.k0), r.k0, bitTest(r.g, 0), dictGet('bi.lookup_product', 'name', r.k1), r.k1, r.g
LIMIT {p4:UInt64}
