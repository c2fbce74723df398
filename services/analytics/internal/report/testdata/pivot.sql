SELECT r.o AS o, r.g AS g, toString(r.k0) AS k0, dictGet('bi.lookup_branch', 'name', r.k0) AS n0, CAST(r.v0, 'Nullable(Decimal(38, 4))') AS v0, arrayMap(z -> toString(z), tupleElement(r.cells__, 1)) AS keys__, CAST(tupleElement(r.cells__, 2), 'Array(Nullable(Decimal(38, 4)))') AS c0, arrayMap(z -> toString(z), arraySort(z -> (dictGet('bi.lookup_region', 'name', z), z), if(r.place__ = 1, r.members__, []))) AS pivot__, arrayMap(z -> dictGet('bi.lookup_region', 'name', z), arraySort(z -> (dictGet('bi.lookup_region', 'name', z), z), if(r.place__ = 1, r.members__, []))) AS titles__
FROM (SELECT r.*, row_number() OVER (ORDER BY bitTest(r.g, 0), dictGet('bi.lookup_branch', 'name', r.k0), r.k0, r.g) AS place__, groupUniqArrayArray(201)(r.shown__) OVER () AS members__
FROM (SELECT v.o AS o, v.k0 AS k0, bitShiftRight(v.g, 1) AS g, anyIf(v.v0, bitAnd(v.g, 1) = 1) AS v0, groupArrayIf((v.k1, v.v0), bitAnd(v.g, 1) = 0) AS cells__, groupArrayIf(v.k1, bitAnd(v.g, 1) = 0 AND v.p = 1) AS shown__
FROM (SELECT r.o AS o, r.k0 AS k0, r.k1 AS k1, r.g AS g, r.p AS p, r.b0 AS v0
FROM (SELECT toUInt8(0) AS o, x.k0 AS k0, x.k1 AS k1, toUInt64(grouping(x.k0, x.k1)) AS g, max(x.p) AS p, sum(x.b0) AS b0
FROM (SELECT toUInt8(0) AS o, toUInt64(f.branch_id) AS k0, toUInt64(f.region_id) AS k1, toUInt64(0) AS g, toUInt8(1) AS p, sum(ifNull(f.base_amount, 0)) AS b0
FROM bi.fact_transaction AS f
WHERE f.business_date <= {p1:Date}
GROUP BY f.branch_id, f.region_id) AS x
GROUP BY GROUPING SETS ((x.k0, x.k1), (x.k0))) AS r) AS v
GROUP BY v.o, v.k0, g) AS r) AS r
ORDER BY r.place__
LIMIT {p2:UInt64}
