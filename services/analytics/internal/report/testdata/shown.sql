SELECT r.o AS o, r.g AS g, r.t AS t, CAST(r.v0, 'Nullable(Decimal(38, 4))') AS v0, CAST(r.v1, 'Nullable(Decimal(38, 4))') AS v1, CAST(r.v2, 'Nullable(Decimal(38, 4))') AS v2, CAST(r.v3, 'Nullable(Float64)') AS v3, CAST(r.v4, 'Nullable(Int64)') AS v4, CAST(r.v5, 'Nullable(Int64)') AS v5, CAST(r.v6, 'Nullable(Int64)') AS v6, CAST(r.v7, 'Nullable(Float64)') AS v7, arrayMap(z -> toString(z), tupleElement(r.cells__, 1)) AS keys__, CAST(tupleElement(r.cells__, 2), 'Array(Nullable(Decimal(38, 4)))') AS c0, CAST(tupleElement(r.cells__, 3), 'Array(Nullable(Decimal(38, 4)))') AS c1, CAST(tupleElement(r.cells__, 4), 'Array(Nullable(Decimal(38, 4)))') AS c2, CAST(tupleElement(r.cells__, 5), 'Array(Nullable(Float64))') AS c3, CAST(tupleElement(r.cells__, 6), 'Array(Nullable(Int64))') AS c4, CAST(tupleElement(r.cells__, 7), 'Array(Nullable(Int64))') AS c5, CAST(tupleElement(r.cells__, 8), 'Array(Nullable(Int64))') AS c6, CAST(tupleElement(r.cells__, 9), 'Array(Nullable(Float64))') AS c7, arrayMap(z -> toString(z), arraySort(z -> (dictGet('bi.lookup_region', 'name', z), z), if(r.place__ = 1, r.members__, []))) AS pivot__, arrayMap(z -> dictGet('bi.lookup_region', 'name', z), arraySort(z -> (dictGet('bi.lookup_region', 'name', z), z), if(r.place__ = 1, r.members__, []))) AS titles__
FROM (SELECT r.*, row_number() OVER (ORDER BY r.t, r.g) AS place__, groupUniqArrayArray(201)(r.shown__) OVER () AS members__
FROM (SELECT v.o AS o, v.t AS t, bitShiftRight(v.g, 1) AS g, anyIf(v.v0, bitAnd(v.g, 1) = 1) AS v0, anyIf(v.v1, bitAnd(v.g, 1) = 1) AS v1, anyIf(v.v2, bitAnd(v.g, 1) = 1) AS v2, anyIf(v.v3, bitAnd(v.g, 1) = 1) AS v3, anyIf(v.v4, bitAnd(v.g, 1) = 1) AS v4, anyIf(v.v5, bitAnd(v.g, 1) = 1) AS v5, anyIf(v.v6, bitAnd(v.g, 1) = 1) AS v6, anyIf(v.v7, bitAnd(v.g, 1) = 1) AS v7, groupArrayIf((v.k0, v.v0, v.v1, v.v2, v.v3, v.v4, v.v5, v.v6, v.v7), bitAnd(v.g, 1) = 0) AS cells__, groupArrayIf(v.k0, bitAnd(v.g, 1) = 0 AND v.p = 1) AS shown__
FROM (SELECT r.t AS t, r.o AS o, r.k0 AS k0, r.g AS g, r.p AS p, r.b0 AS v0, r.e0 AS v1, r.b0 - r.e0 AS v2, if(ifNull(r.e0, 0) = 0, NULL, toFloat64(r.b0 - r.e0) / toFloat64(r.e0)) AS v3, r.b1 AS v4, r.e1 AS v5, r.b1 - r.e1 AS v6, if(ifNull(r.e1, 0) = 0, NULL, toFloat64(r.b1 - r.e1) / toFloat64(r.e1)) AS v7
FROM (WITH view2__ AS MATERIALIZED (SELECT customer_since, left_on, region_id, state
FROM bi.dim_customer) SELECT u.t AS t, u.o AS o, u.k0 AS k0, u.g AS g, sum(u.b0) AS b0, sum(u.e0) AS e0, sum(u.b1) AS b1, sum(u.e1) AS e1, max(u.p) AS p
FROM (SELECT x.t AS t, toUInt8(0) AS o, x.k0 AS k0, toUInt64(grouping(x.k0)) AS g, max(x.p) AS p, sum(x.b0) AS b0, CAST(0, 'Decimal(38, 4)') AS e0, CAST(0, 'Int64') AS b1, CAST(0, 'Int64') AS e1
FROM (SELECT toDate32(toStartOfMonth(f.business_date)) AS t, toUInt8(0) AS o, toUInt64(f.region_id) AS k0, toUInt64(0) AS g, toUInt8(1) AS p, sum(ifNull(f.base_amount, 0)) AS b0, CAST(0, 'Decimal(38, 4)') AS e0, CAST(0, 'Int64') AS b1, CAST(0, 'Int64') AS e1
FROM bi.fact_transaction AS f
WHERE f.business_date <= {p1:Date} AND f.business_date >= {p2:Date}
GROUP BY toDate32(toStartOfMonth(f.business_date)), f.region_id) AS x
GROUP BY GROUPING SETS ((x.t, x.k0), (x.t))
UNION ALL SELECT x.t AS t, toUInt8(0) AS o, x.k0 AS k0, toUInt64(grouping(x.k0)) AS g, max(x.p) AS p, CAST(0, 'Decimal(38, 4)') AS b0, sum(x.e0) AS e0, CAST(0, 'Int64') AS b1, CAST(0, 'Int64') AS e1
FROM (SELECT y.* EXCEPT (o, t), y.o AS o, z__.2 AS t
FROM (SELECT toDate32(toStartOfMonth(f.business_date)) AS t, toUInt8(0) AS o, toUInt64(f.region_id) AS k0, toUInt64(0) AS g, toUInt8(0) AS p, CAST(0, 'Decimal(38, 4)') AS b0, sum(ifNull(f.base_amount, 0)) AS e0, CAST(0, 'Int64') AS b1, CAST(0, 'Int64') AS e1
FROM bi.fact_transaction AS f
WHERE f.business_date <= {p3:Date} AND f.business_date >= {p4:Date}
GROUP BY toDate32(toStartOfMonth(f.business_date)), f.region_id) AS y
ARRAY JOIN arrayFilter(z -> z.1 = y.t, arrayZip({p5:Array(Date32)}, {p6:Array(Date32)})) AS z__) AS x
GROUP BY GROUPING SETS ((x.t, x.k0), (x.t))
UNION ALL SELECT x.t AS t, toUInt8(0) AS o, x.k0 AS k0, toUInt64(grouping(x.k0)) AS g, max(x.p) AS p, CAST(0, 'Decimal(38, 4)') AS b0, CAST(0, 'Decimal(38, 4)') AS e0, sum(x.b1) AS b1, CAST(0, 'Int64') AS e1
FROM (SELECT cut__ AS t, h.o AS o, h.k0 AS k0, h.g AS g, toUInt8(cut__ = {p10:Date32}) AS p, CAST(0, 'Decimal(38, 4)') AS b0, CAST(0, 'Decimal(38, 4)') AS e0, h.b1 AS b1, CAST(0, 'Int64') AS e1
FROM (SELECT toUInt16(arrayCount(z -> z < assumeNotNull(ifNull(f.customer_since, toDate32('1900-01-01'))), {p8:Array(Date32)})) AS over__, toUInt16(if(f.left_on IS NULL, length({p8:Array(Date32)}), arrayCount(z -> z < assumeNotNull(f.left_on), {p8:Array(Date32)}))) AS until__, toUInt8(0) AS o, toUInt64(f.region_id) AS k0, toUInt64(0) AS g, CAST(0, 'Decimal(38, 4)') AS b0, CAST(0, 'Decimal(38, 4)') AS e0, toInt64(count()) AS b1, CAST(0, 'Int64') AS e1
FROM view2__ AS f
WHERE ifNull(f.customer_since, toDate32('1900-01-01')) <= {p9:Date32} AND f.state != 'prospect'
GROUP BY over__, until__, f.region_id) AS h
ARRAY JOIN arraySlice({p7:Array(Date32)}, h.over__ + 1, greatest(0, toInt64(h.until__) - h.over__)) AS cut__) AS x
GROUP BY GROUPING SETS ((x.t, x.k0), (x.t))
UNION ALL SELECT x.t AS t, toUInt8(0) AS o, x.k0 AS k0, toUInt64(grouping(x.k0)) AS g, max(x.p) AS p, CAST(0, 'Decimal(38, 4)') AS b0, CAST(0, 'Decimal(38, 4)') AS e0, CAST(0, 'Int64') AS b1, sum(x.e1) AS e1
FROM (SELECT y.* EXCEPT (o, t), y.o AS o, z__.2 AS t
FROM (SELECT cut__ AS t, h.o AS o, h.k0 AS k0, h.g AS g, toUInt8(0) AS p, CAST(0, 'Decimal(38, 4)') AS b0, CAST(0, 'Decimal(38, 4)') AS e0, CAST(0, 'Int64') AS b1, h.e1 AS e1
FROM (SELECT toUInt16(arrayCount(z -> z < assumeNotNull(ifNull(f.customer_since, toDate32('1900-01-01'))), {p12:Array(Date32)})) AS over__, toUInt16(if(f.left_on IS NULL, length({p12:Array(Date32)}), arrayCount(z -> z < assumeNotNull(f.left_on), {p12:Array(Date32)}))) AS until__, toUInt8(0) AS o, toUInt64(f.region_id) AS k0, toUInt64(0) AS g, CAST(0, 'Decimal(38, 4)') AS b0, CAST(0, 'Decimal(38, 4)') AS e0, CAST(0, 'Int64') AS b1, toInt64(count()) AS e1
FROM view2__ AS f
WHERE ifNull(f.customer_since, toDate32('1900-01-01')) <= {p13:Date32} AND f.state != 'prospect'
GROUP BY over__, until__, f.region_id) AS h
ARRAY JOIN arraySlice({p11:Array(Date32)}, h.over__ + 1, greatest(0, toInt64(h.until__) - h.over__)) AS cut__) AS y
ARRAY JOIN arrayFilter(z -> z.1 = y.t, arrayZip({p14:Array(Date32)}, {p15:Array(Date32)})) AS z__) AS x
GROUP BY GROUPING SETS ((x.t, x.k0), (x.t))) AS u
GROUP BY u.t, u.o, u.k0, u.g) AS r) AS v
GROUP BY v.o, v.t, g) AS r) AS r
ORDER BY r.place__
LIMIT {p16:UInt64}
